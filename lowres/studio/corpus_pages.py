"""The pages of the corpus: the list of utterances, one to listen to and correct, its history, and conflicts."""

from dataclasses import dataclass, field
from threading import Lock

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lowres.errors import CorpusError, LowresError
from lowres.manifest.corrections import CorrectionKind
from lowres.stages.correct import Edit, tidy
from lowres.studio.audio import audio_response, wav_of
from lowres.studio.desk import Desk, OpenCorpus, Row
from lowres.studio.finding import Catalogue, read_wanted
from lowres.studio.forms import read_form, remember_author, remembered_author
from lowres.studio.hints import Writing
from lowres.studio.pages import Renderer

_MOST_CHOICES = 300
"""Of more speakers, the name is typed."""
_LONGEST_AUTHOR = 80


@dataclass(frozen=True)
class _Draft:
    """What stands in the form.

    Attributes:
        raw_text: as typed. seen: the version of the transcript that whoever typed it had before them. author: a name.
        is_unsaved: it is nowhere but in the form.
    """

    raw_text: str
    seen: str
    author: str
    is_unsaved: bool = False


@dataclass
class CorpusPages:
    """Answers for everything under /corpus."""

    desk: Desk
    renderer: Renderer
    _catalogue: Catalogue | None = None
    _lock: Lock = field(default_factory=Lock)

    def routes(self) -> list[Route]:
        """Return the addresses and who answers."""
        return [
            Route("/corpus", self.show_list),
            Route("/corpus/{key}", self.show_utterance, methods=["GET"]),
            Route("/corpus/{key}", self.take_edit, methods=["POST"]),
            Route("/corpus/{key}/audio.wav", self.play),
        ]

    def show_list(self, request: Request) -> Response:
        """Show a page of utterances."""
        wanted = read_wanted(request.query_params)
        catalogue = self._open()
        return self.renderer.page(
            "corpus.html.jinja",
            wanted=wanted,
            found=catalogue.page(wanted),
            splits=catalogue.splits,
            speakers=catalogue.speakers if len(catalogue.speakers) <= _MOST_CHOICES else None,
            num_speakers=len(catalogue.speakers),
            flags=catalogue.flags,
            info=catalogue.opened.corpus.info,
            refusal=self.desk.why_not_to_correct(),
        )

    def show_utterance(self, request: Request) -> Response:
        """Show an utterance, to listen to and to correct."""
        row = self._find(request, self._open().opened)
        said = "Saved." if request.query_params.get("saved") else ""
        return self._utterance(request, row, _Draft(row.raw_text, row.version, remembered_author(request)), said=said)

    def play(self, request: Request) -> Response:
        """Answer with the audio of an utterance."""
        opened = self.desk.corpus()
        return audio_response(request, wav_of(opened.samples(self._find(request, opened), self.desk.project)))

    async def take_edit(self, request: Request) -> Response:
        """Save what was typed, look at it, or bring an earlier version back."""
        form = await read_form(request)
        try:
            return await run_in_threadpool(self._take_edit, request, form)
        except LowresError as error:  # the corpus cannot be opened any more
            return self.renderer.error(error.message, error.hint, typed=form.get("raw_text", ""))
        except HTTPException as error:  # the utterance is gone
            return self.renderer.http_error(request, error, typed=form.get("raw_text", ""))

    def _take_edit(self, request: Request, form: dict[str, str]) -> Response:
        row = self._find(request, self.desk.corpus())
        action, raw_text = form.get("action", "save"), tidy(form.get("raw_text", ""))
        seen, author = form.get("seen", ""), form.get("author", "")
        if action == "check":
            said = "Not saved yet: this is what it would be."
            return self._utterance(request, row, _unsaved(row, raw_text, seen, author), said=said)
        kind: CorrectionKind = "corrected"
        if action == "restore":
            raw_text, kind = self._version(row, form.get("revision", "")), "restored"
        edit = Edit(row.utterance_id, raw_text, seen, author, kind)
        try:
            result = self.desk.correct(edit)
        except LowresError as error:
            said = f"{error.message} {error.hint}"
            return self._utterance(request, row, _unsaved(row, raw_text, seen, author), said=said, status=422)
        now = self._find(request, self._open().opened)
        if result.outcome == "conflict":
            # The page shows both, so the next save is of somebody who has seen the other one.
            return self._utterance(request, now, _Draft(raw_text, now.version, author), theirs=now.raw_text, status=409)
        response = RedirectResponse(self._next_address(request, now, action), status_code=303)
        if author:
            remember_author(response, author[:_LONGEST_AUTHOR])
        return response

    def _next_address(self, request: Request, row: Row, action: str) -> str:
        wanted = read_wanted(request.query_params)
        if action == "next":
            _, after = self._open().neighbours(wanted, row.position)
            if after is not None:
                return f"/corpus/{after.key}{wanted.address()}"
        separator = "&" if wanted.address() else "?"
        return f"/corpus/{row.key}{wanted.address()}{separator}saved=1"

    def _version(self, row: Row, revision: str) -> str:
        """Return an earlier transcript of an utterance; 0 is the corpus's own."""
        history = self.desk.corpus().history.get(row.utterance_id, [])
        if revision == "0" and history:
            return history[-1].source_text
        for one in history:
            if str(one.revision) == revision:
                return one.raw_after
        raise CorpusError("There is no such version of this transcript.", "Look at its history again.")

    def _utterance(
        self, request: Request, row: Row, draft: _Draft, *, said: str = "", theirs: str | None = None, status: int = 200
    ) -> Response:
        catalogue, wanted = self._open(), read_wanted(request.query_params)
        refusal = self.desk.why_not_to_correct()
        writing = None if refusal else Writing(catalogue.opened, self.desk.open_recipe())
        before, after = catalogue.neighbours(wanted, row.position)
        return self.renderer.page(
            "utterance.html.jinja",
            status=status,
            row=row,
            draft=draft,
            text=writing.text_of(draft.raw_text) if writing else row.text,
            hints=writing.hints(row, draft.raw_text) if writing else [],
            history=catalogue.opened.history.get(row.utterance_id, []),
            refusal=refusal,
            said_now=said,
            is_refused=status == 422,
            theirs=theirs,
            wanted=wanted,
            before=before,
            after=after,
        )

    def _open(self) -> Catalogue:
        opened = self.desk.corpus()
        with self._lock:
            if self._catalogue is None or self._catalogue.opened is not opened:
                self._catalogue = Catalogue(opened)
            return self._catalogue

    def _find(self, request: Request, opened: OpenCorpus) -> Row:
        key = request.path_params["key"]
        if key not in opened.positions:
            raise HTTPException(404)
        return opened.find(key)


def _unsaved(row: Row, raw_text: str, seen: str, author: str) -> _Draft:
    """Return what was typed and is still to be saved; the version that was seen stays the one it was typed on."""
    return _Draft(raw_text, seen, author, is_unsaved=raw_text != tidy(row.raw_text))
