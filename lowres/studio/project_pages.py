"""The first page of the studio, and the report pages that it leads to, which are kept apart from it."""

import os
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from lowres.errors import LowresError
from lowres.studio.desk import Desk, OpenCorpus
from lowres.studio.files import PAGE_POLICY, PAGE_TYPES, find_page
from lowres.studio.overview import list_reports, list_runs
from lowres.studio.pages import Renderer


@dataclass
class ProjectPages:
    """Answers for /, for report pages, and for what all pages share."""

    desk: Desk
    renderer: Renderer

    def routes(self) -> list[Route]:
        """Return the addresses and who answers."""
        return [
            Route("/", self.show),
            Route("/pages/{key}/{place:path}", self.show_report),
            Route("/style.css", self.style),
            Route("/studio.js", self.script),
        ]

    def show(self, _request: Request) -> Response:
        """Show what is in the project."""
        opened: OpenCorpus | None = None
        problem = ""
        try:
            opened = self.desk.corpus()
        except LowresError as error:
            problem = f"{error.message} {error.hint}"
        info = opened.corpus.info if opened else None
        return self.renderer.page(
            "project.html.jinja",
            recipe=self.desk.open_recipe(),
            info=info,
            hours=sum(info.hours_per_split.values()) if info else 0.0,
            num_speakers=len(set(opened.columns["speaker"]) - {""}) if opened else 0,
            num_corrected=len(opened.history) if opened else 0,
            corpus_problem=problem,
            runs=list_runs(self.desk.project),
            reports=list_reports(self.desk.project),
        )

    def show_report(self, request: Request) -> Response:
        """Show a report page as it is, in a box of its own: whatever its scripts do, they cannot reach the studio."""
        try:
            # As `page_address` wrote it: the decoded path has lost what is not UTF-8 in it.
            place = os.fsdecode(unquote_to_bytes(request.scope["raw_path"])).split("/", 3)[3]
        except UnicodeDecodeError as error:  # on Windows, where no name is that
            raise HTTPException(404) from error
        path = find_page(self.desk.project, place)
        if path is None:
            raise HTTPException(404)
        headers = {"Content-Security-Policy": PAGE_POLICY}
        return FileResponse(path, media_type=PAGE_TYPES[path.suffix.lower()], headers=headers)

    def style(self, _request: Request) -> Response:
        """Answer with the style sheet."""
        return Response(self.renderer.style, media_type="text/css")

    def script(self, _request: Request) -> Response:
        """Answer with the script."""
        return Response(self.renderer.script, media_type="text/javascript")
