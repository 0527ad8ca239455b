"""`lowres studio`: a page on this machine alone, to look at a project, listen, correct and transcribe."""

import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from lowres.cli.console import say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption
from lowres.errors import LowresError, how_to_install

_LIBRARIES = ("starlette", "uvicorn", "python_multipart")
_BYTES_PER_MB = 1_000_000
_NAMES_OF_A_SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def studio(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; without it, any free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Whether to open the address in the browser.")
    ] = True,
    largest_upload: Annotated[
        int, typer.Option("--largest-upload", min=1, metavar="MB", help="The largest recording it takes to transcribe.")
    ] = 500,
) -> None:
    """Open the project as a page on this machine alone: listen, correct transcripts, transcribe a recording."""
    _demand_libraries()
    from lowres.recipe import load_recipe
    from lowres.studio.app import StudioOptions
    from lowres.studio.server import Studio

    options = StudioOptions(
        project=project.absolute(),
        open_recipe=lambda: load_recipe(recipe, overrides or (), project=project),
        largest_upload_bytes=largest_upload * _BYTES_PER_MB,
    )
    opened = Studio(options, port)
    say(f"The studio is open on this machine alone:\n\n  {opened.address.printed}\n")
    say("Whoever has this address can listen and correct. Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):
        opened.serve(lambda: _open_browser(opened.address.once) if browser else None)
    say("\nThe studio is closed; what was saved is in the project.")


def _demand_libraries() -> None:
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        raise LowresError(
            f"lowres studio needs a small web server, and {', '.join(missing).replace('_', '-')} is not installed.",
            how_to_install("studio"),
        )


def _open_browser(address: str) -> None:
    # Without a screen, Python would start a browser of letters, in the terminal that the studio is in.
    if sys.platform not in ("win32", "darwin") and not any(map(os.environ.get, _NAMES_OF_A_SCREEN)):
        return
    import webbrowser
    from threading import Thread

    # In a thread: some browsers keep whoever starts them waiting.
    Thread(target=webbrowser.open, args=(address,), daemon=True).start()
