"""Every command that a document tells the reader to type is one that exists, with options that exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from lowres.cli.app import app

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/tutorial.md")
_BLOCK = re.compile(r"^```(?:bash|sh|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _commands(document: str, program: str) -> list[str]:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    lines = [line.split("#")[0].strip() for block in _BLOCK.findall(text) for line in block.splitlines()]
    inline = [match.strip() for match in re.findall(r"`([^`\n]+)`", text)]
    return [line for line in [*lines, *inline] if re.match(rf"{program} [a-z-]", line)]


@pytest.mark.parametrize(
    ("document", "command"),
    [(document, command) for document in DOCUMENTS for command in _commands(document, "lowres")],
)
def test_a_printed_lowres_command_parses(document: str, command: str) -> None:
    root = typer.main.get_command(app)
    words = shlex.split(command)[1:]
    if words[0].startswith("-"):
        assert words[0] in {option for parameter in root.params for option in parameter.opts} | {"--help"}
        return
    assert words[0] in root.commands, f"{document} names a command that does not exist: {command}"
    root.commands[words[0]].make_context(words[0], words[1:])


@pytest.mark.parametrize(
    ("document", "command"),
    [(document, command) for document in DOCUMENTS for command in _commands(document, "make")],
)
def test_a_printed_make_target_exists(document: str, command: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = [word for word in command.split()[1:] if "=" not in word]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets), f"{document}: {command}"


def test_the_readme_names_its_two_commands_first() -> None:
    first_block = _BLOCK.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))[0]
    assert [line.split("#")[0].strip() for line in first_block.splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_links_to_exist(document: str) -> None:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)[^)]*\)", text)
    folder = (REPOSITORY / document).parent
    assert [link for link in links if not (folder / link).exists()] == []
