"""The options of the command line are frozen in cli_options.txt: a change of them is a change that one decides on.

After such a decision: `LOWRES_FREEZE=1 pytest tests/architecture/test_cli_options.py`, and look at the difference.
"""

import os
from pathlib import Path

import typer

from lowres.cli.app import app

FROZEN = Path(__file__).with_name("cli_options.txt")


def test_the_options_are_the_frozen_ones() -> None:
    options = _list_options()
    if os.environ.get("LOWRES_FREEZE"):
        FROZEN.write_text(options, encoding="utf-8")
    assert options == FROZEN.read_text(encoding="utf-8")


def _list_options() -> str:
    root = typer.main.get_command(app)
    lines = [f"lowres {_describe(parameter)}" for parameter in root.params]
    for name, command in root.commands.items():
        lines.append(f"lowres {name}")
        lines += [f"lowres {name} {_describe(parameter)}" for parameter in command.params]
    return "\n".join(lines) + "\n"


def _describe(parameter: typer.core.TyperOption | typer.core.TyperArgument) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if getattr(parameter, "is_flag", False) or not parameter.metavar else f" {parameter.metavar}"
    repeatable = " (repeatable)" if parameter.multiple else ""
    usually = f" = {parameter.default}" if parameter.default not in (None, "", False) else ""
    return f"{names}{value}{repeatable}{usually}"
