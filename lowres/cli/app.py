"""The `lowres` command: which commands there are, and the one place where errors become sentences.

Exit status: 0 done, 1 a defect of ours (with its traceback), 2 something the user can put right, 130 interrupted.
"""

import errno
import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lowres import __version__
from lowres.cli.align import align
from lowres.cli.audit import audit
from lowres.cli.backbones import backbones
from lowres.cli.compare import compare
from lowres.cli.console import console, errors, print_error
from lowres.cli.cross_validate import cross_validate
from lowres.cli.curve import curve
from lowres.cli.demo import demo
from lowres.cli.doctor import doctor
from lowres.cli.evaluate import evaluate
from lowres.cli.export import export
from lowres.cli.finetune import finetune
from lowres.cli.init import init
from lowres.cli.inspect import inspect
from lowres.cli.lm import lm
from lowres.cli.prepare import prepare
from lowres.cli.pretrain import pretrain
from lowres.cli.recipe import recipe
from lowres.cli.start import is_terminal, start
from lowres.cli.stopping import INTERRUPTED_STATUS
from lowres.cli.studio import studio
from lowres.cli.suggest import suggest
from lowres.cli.transcribe import transcribe
from lowres.errors import LowresError

USER_ERROR_STATUS = 2

# What the operating system refuses for reasons a user can mend, and how.
SYSTEM_ERROR_HINTS = {
    errno.ENOSPC: "Free some disk space, then give the same command again: what was finished is kept.",
    errno.EDQUOT: "Your disk quota is used up: free some space, then give the same command again.",
    errno.EROFS: "That file system is read-only: choose another folder with --project.",
    errno.ENOTDIR: "Part of that path is a file: choose another place.",
    errno.EEXIST: "Something of that name is there already: choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EACCES: "Check the permissions of that file or folder, or choose another one.",
    errno.EPERM: "Check the permissions of that file or folder, or choose another one.",
}

# In the order of a first day with lowres; `lowres --help` lists them so.
COMMANDS = (
    start,
    demo,
    init,
    prepare,
    inspect,
    audit,
    backbones,
    pretrain,
    finetune,
    lm,
    evaluate,
    curve,
    cross_validate,
    compare,
    transcribe,
    align,
    suggest,
    studio,
    export,
    recipe,
    doctor,
)


class ErrorHandlingGroup(TyperGroup):
    """The command group whose `invoke` turns what a user can cause into two lines on stderr and exit status 2."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with the whole first line of their help, where typer would cut it short."""
        with formatter.section("Commands"):
            commands = ((name, self.commands[name].help or "") for name in self.list_commands(ctx))
            formatter.write_dl([(name, help_text.partition("\n")[0]) for name, help_text in commands])

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named; `LOWRES_DEBUG=1` lets every error through with its traceback."""
        try:
            return super().invoke(ctx)
        except LowresError as error:
            if os.environ.get("LOWRES_DEBUG"):
                errors.print_exception()
            print_error(error.message, error.hint)
            raise typer.Exit(USER_ERROR_STATUS) from error
        except KeyboardInterrupt as interrupt:
            print_error("interrupted.", "What was finished is kept; give the same command again to go on.")
            raise typer.Exit(INTERRUPTED_STATUS) from interrupt
        except OSError as error:
            if error.errno not in SYSTEM_ERROR_HINTS:
                raise
            if os.environ.get("LOWRES_DEBUG"):
                errors.print_exception()
            place = f": {error.filename}" if error.filename else ""
            print_error(f"{error.strerror or error}{place}.", SYSTEM_ERROR_HINTS[error.errno])
            raise typer.Exit(USER_ERROR_STATUS) from error


app = typer.Typer(
    name="lowres",
    cls=ErrorHandlingGroup,
    help="From a folder of recordings to a measured speech recogniser, for languages with little transcribed speech.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"lowres {__version__}", markup=False)
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (its callback prints it)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        _begin(context)


def _begin(context: typer.Context) -> None:
    """Do what plain `lowres` does: ask, where there is somebody to ask, else show the help."""
    if is_terminal():
        start()
        return
    errors.print(
        f"{context.get_help()}\n\nTo be asked and guided, in a terminal: lowres start", markup=False, soft_wrap=True
    )
    raise typer.Exit(USER_ERROR_STATUS)


for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run the command line; the entry point that the package installs as `lowres`."""
    # torch's threads otherwise wait for each other by spinning. As soon as any other program wants a core, the one that
    # spins keeps it from the one that is waited for: measured on two cores beside one busy process, decoding went from
    # 5 to 219 hours of audio per hour. Read when torch is loaded, so it must be set before.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    app()
