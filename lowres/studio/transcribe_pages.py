"""The pages of transcription: drop a recording, wait, read what was heard while it plays, and take it along."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lowres.annotation.transcript_json import read_transcript_json
from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES, TranscriptFormat
from lowres.corpora.settings import AUDIO_SUFFIXES
from lowres.errors import LowresError
from lowres.report.sentences import duration_text
from lowres.stages.evaluate_run import find_run
from lowres.studio.jobs import Job, Jobs
from lowres.studio.pages import Renderer
from lowres.studio.uploads import TooLargeError, receive_recording

OFFERED: Final[dict[TranscriptFormat, str]] = {
    "elan": "ELAN",
    "textgrid": "TextGrid (Praat)",
    "srt": "subtitles (SRT)",
    "text": "text",
    "json": "JSON",
}
_DOUBTFUL_BELOW: Final = 0.5
_AUDIO_TYPES: Final = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".aac": "audio/aac",
}


@dataclass
class TranscribePages:
    """Answers for everything under /transcribe."""

    jobs: Jobs
    renderer: Renderer
    largest_upload_bytes: int

    def routes(self) -> list[Route]:
        """Return the addresses and who answers."""
        return [
            Route("/transcribe", self.show, methods=["GET"]),
            Route("/transcribe", self.take, methods=["POST"]),
            Route("/transcribe/{job}", self.show_job),
            Route("/transcribe/{job}/status", self.status),
            Route("/transcribe/{job}/recording", self.recording),
            Route("/transcribe/{job}/as/{form}", self.download),
            Route("/transcribe/{job}/delete", self.delete, methods=["POST"]),
        ]

    def show(self, _request: Request) -> Response:
        """Show where to drop a recording, and what was dropped before."""
        run, problem = "", ""
        try:
            run = find_run(self.jobs.project, None).name
        except LowresError as error:
            problem = f"{error.message} {error.hint}"
        return self.renderer.page(
            "transcribe.html.jinja",
            run=run,
            problem=problem,
            jobs=self.jobs.all(),
            largest_bytes=self.largest_upload_bytes,
            suffixes=",".join(AUDIO_SUFFIXES),
        )

    async def take(self, request: Request) -> Response:
        """Receive a recording, and answer with where to wait for it."""
        wants_json = "application/json" in request.headers.get("accept", "")
        try:
            await run_in_threadpool(find_run, self.jobs.project, None)
            folder = await run_in_threadpool(self.jobs.upload_folder)
            upload = await receive_recording(request, folder, self.largest_upload_bytes)
            job = await run_in_threadpool(self.jobs.add, upload)
        except LowresError as error:
            status = 413 if isinstance(error, TooLargeError) else 422
            if wants_json:
                return JSONResponse({"message": error.message, "hint": error.hint}, status)
            return self.renderer.error(error.message, error.hint, status=status)
        address = f"/transcribe/{job.name}"
        return JSONResponse({"address": address}) if wants_json else RedirectResponse(address, status_code=303)

    def show_job(self, request: Request) -> Response:
        """Show how far a recording is, or what was heard in it."""
        job = self._find(request)
        transcript, problem = None, job.problem
        path = self.jobs.transcript(job, TRANSCRIPT_SUFFIXES["json"]) if job.state == "done" else None
        if path is not None:
            try:
                transcript = read_transcript_json(path)
            except LowresError as error:
                problem = f"{error.message} {error.hint}"
        return self.renderer.page(
            "heard.html.jinja",
            job=job,
            problem=problem,
            transcript=transcript,
            offered={
                form: name for form, name in OFFERED.items() if self.jobs.transcript(job, TRANSCRIPT_SUFFIXES[form])
            },
            doubtful_below=_DOUBTFUL_BELOW,
            sentence=self._progress(job),
        )

    def status(self, request: Request) -> Response:
        """Answer, for the page's script, how far a recording is."""
        job = self._find(request)
        share = min(1.0, job.heard_seconds / job.seconds) if job.seconds and job.heard_seconds else None
        return JSONResponse({"state": job.state, "share": share, "sentence": self._progress(job)})

    def recording(self, request: Request) -> Response:
        """Answer with the recording itself."""
        path = self.jobs.recording(self._find(request))
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=_AUDIO_TYPES.get(path.suffix.lower(), "application/octet-stream"))

    def download(self, request: Request) -> Response:
        """Answer with what was heard, as a file of one of the formats."""
        job, form = self._find(request), request.path_params["form"]
        suffix = next((TRANSCRIPT_SUFFIXES[one] for one in OFFERED if one == form), None)
        path = self.jobs.transcript(job, suffix) if suffix else None
        if path is None:
            raise HTTPException(404)
        disposition = f"attachment; filename*=UTF-8''{quote(path.name, safe='')}"
        return FileResponse(path, media_type="application/octet-stream", headers={"Content-Disposition": disposition})

    async def delete(self, request: Request) -> Response:
        """Stop and forget a recording, and delete what the studio kept of it."""
        await run_in_threadpool(self.jobs.remove, self._find(request).name)
        return RedirectResponse("/transcribe", status_code=303)

    def _find(self, request: Request) -> Job:
        job = self.jobs.get(request.path_params["job"])
        if job is None:
            raise HTTPException(404)
        return job

    def _progress(self, job: Job) -> str:
        if job.state == "queued":
            before = self.jobs.num_before(job.name)
            return f"Waiting: {before} recording{'' if before == 1 else 's'} before this one."
        if not job.heard_seconds:
            return "Opening the recogniser …"
        of = f" of {duration_text(job.seconds)}" if job.seconds else ""
        return f"Heard {duration_text(job.heard_seconds)}{of}."
