"""The studio as one application: its pages behind its gate."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from lowres.audio.voice_activity import DetectorName
from lowres.errors import LowresError
from lowres.recipe import Recipe
from lowres.studio.corpus_pages import CorpusPages
from lowres.studio.desk import Desk
from lowres.studio.gate import Gate, Keys, page_address
from lowres.studio.jobs import Jobs
from lowres.studio.pages import Renderer
from lowres.studio.project_pages import ProjectPages
from lowres.studio.transcribe_pages import TranscribePages


@dataclass(frozen=True, kw_only=True)
class StudioOptions:
    """What the studio is told.

    Attributes:
        project: the folder. open_recipe: loads its recipe, again each time, for it may be edited meanwhile.
        largest_upload_bytes: of a recording to transcribe.
        detector: what finds speech in it; None = everything is speech.
    """

    project: Path
    open_recipe: Callable[[], Recipe]
    largest_upload_bytes: int = 500_000_000
    detector: DetectorName | None = "auto"


def make_app(options: StudioOptions, jobs: Jobs, keys: Keys, port: int) -> Gate:
    """Put the studio together.

    Args:
        options: see `StudioOptions`. jobs: recordings to transcribe. keys: that open it. port: that it will listen on.
    """
    recipe = options.open_recipe()
    desk = Desk(options.project, options.open_recipe)
    renderer = Renderer(
        project_name=options.project.resolve().name,
        language_code=recipe.language.iso_639_3,
        page_address=lambda place: page_address(keys, place),
    )
    app = Starlette(
        routes=[
            *ProjectPages(desk, renderer).routes(),
            *CorpusPages(desk, renderer).routes(),
            *TranscribePages(jobs, renderer, options.largest_upload_bytes).routes(),
        ],
        exception_handlers={LowresError: renderer.lowres_error, HTTPException: renderer.http_error},
    )
    return Gate(app, keys, port)
