"""Recordings to transcribe, one after the other: what waits, what is under way, and what is done and kept."""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import Queue
from threading import Event, RLock, Thread
from typing import Final, Literal

from pydantic import TypeAdapter

from lowres.audio.length import announced_seconds
from lowres.corpora.files import is_inside, mark_uploads
from lowres.errors import ON_NONSENSE, LowresError
from lowres.manifest.whole_files import replace_file
from lowres.studio.claims import Claims, is_claimed
from lowres.studio.files import demand_inside
from lowres.studio.hearing import Hearing
from lowres.studio.uploads import PARTIAL_SUFFIX, Upload, not_written

STUDIO_FOLDER: Final = "studio"
"""In a project: what was dropped into the studio and what was heard in it, a folder each."""

_JOB_FILE: Final = ".job.json"
"""Begins as no recording here does (`safe_name`), and so no transcript that lies beside it."""
_OLD_JOB_FILE: Final = "job.json"
_FORMAT_VERSION: Final = 1
_SECONDS_TO_COME: Final = 3600.0

State = Literal["queued", "running", "done", "failed"]
_UNFINISHED: Final[tuple[State, ...]] = ("queued", "running")


@dataclass(frozen=True)
class Job:
    """A recording that was dropped.

    Attributes:
        name: of its folder, random. file_name: of the recording in it. state: see `State`.
        seconds: how long the recording is, 0 where not known. heard_seconds: of it, so far.
        run: the recogniser that heard it, or "". problem: why it was not heard, or "".
        added: when, seconds since 1970.
    """

    name: str
    file_name: str
    state: State = "queued"
    seconds: float = 0.0
    heard_seconds: float = 0.0
    run: str = ""
    problem: str = ""
    added: float = 0.0


Hear = Callable[[Path, Path], Hearing]


class Jobs:
    """Keeps the jobs of a project, and has one of them heard at a time.

    Args:
        project: the folder. hear: starts to hear a recording of a project.
    """

    def __init__(self, project: Path, hear: Hear = Hearing) -> None:
        self.project, self.folder = project, project / STUDIO_FOLDER
        self._hear = hear
        self._lock = RLock()
        self._queue: Queue[str] = Queue()
        self._claims = Claims()
        self._jobs = {job.name: job for job in self._read_all()}
        self._hearing: tuple[str, Hearing] | None = None
        self._is_closed = Event()
        self._worker: Thread | None = None

    def all(self) -> list[Job]:
        """Return every job, the newest first."""
        with self._lock:
            jobs = [job for name in list(self._jobs) if (job := self._look(name)) is not None]
        return sorted(jobs, key=lambda job: job.added, reverse=True)

    def get(self, name: str) -> Job | None:
        """Return a job by its name."""
        with self._lock:
            return self._look(name)

    def _look(self, name: str) -> Job | None:
        """Return a job as it is now; what another studio does is in the record that it writes."""
        job = self._jobs.get(name)
        if job is not None and self._is_of_another(job):
            now = self._read(self.folder / name / _JOB_FILE)
            if now is None:
                del self._jobs[name]
            else:
                self._jobs[name] = now
            return now
        return job

    def _is_of_another(self, job: Job) -> bool:
        return job.state in _UNFINISHED and not self._claims.is_mine(self.folder / job.name)

    def num_before(self, name: str) -> int:
        """Return how many jobs are heard before this one, the one under way included."""
        with self._lock:
            mine = self._jobs[name]
            waiting = [job for job in self._jobs.values() if job.state in _UNFINISHED]
            return sum(job.added < mine.added for job in waiting)

    def upload_folder(self) -> Path:
        """Return where recordings are received, made if it is not there.

        Raises:
            LowresError: it cannot be made, or a link leads out of the project.
        """
        demand_inside(self.folder, self.project)
        try:
            mark_uploads(self.folder)
        except OSError as error:
            raise LowresError(
                f"{self.folder} cannot be written to: {error.strerror or error}.", "Check the folder's permissions."
            ) from error
        return self.folder

    def add(self, upload: Upload) -> Job:
        """Take a recording that was received, and have it heard when its turn comes.

        Raises:
            LowresError: the disk refused; nothing is left of it.
        """
        name = secrets.token_hex(10)
        recording = self.folder / name / upload.name
        try:
            recording.parent.mkdir()
            upload.path.replace(recording)
        except OSError as error:
            with suppress(OSError):
                upload.path.unlink()
            shutil.rmtree(recording.parent, ignore_errors=True)
            raise not_written(error) from error
        job = Job(name, upload.name, seconds=announced_seconds(recording) or 0.0, added=time.time())
        with self._lock:
            self._claims.take(recording.parent)
            self._keep(job)
            self._queue.put(name)
            if self._worker is None:
                self._worker = Thread(target=self._work, daemon=True, name="studio transcribes")
                self._worker.start()
        return job

    def remove(self, name: str) -> None:
        """Forget a job, stop it if it is under way, and delete its folder.

        Raises:
            LowresError: another studio of the project transcribes it.
        """
        with self._lock:
            job = self._look(name)
            if job is None:
                return
            if self._is_of_another(job):
                raise LowresError(
                    f"{job.file_name} waits, or is transcribed, in another studio of this project.",
                    "Delete it there, or end that studio first.",
                )
            del self._jobs[name]
            self._claims.let_go(self.folder / name)
            if self._hearing is not None and self._hearing[0] == name:
                self._hearing[1].stop()
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def recording(self, job: Job) -> Path | None:
        """Return the recording of a job; None where it is gone, or a link leads out of the project."""
        return self._file(job, job.file_name)

    def transcript(self, job: Job, suffix: str) -> Path | None:
        """Return what was written for a job, by how the file ends; None as for `recording`."""
        return self._file(job, Path(job.file_name).stem + suffix)

    def _file(self, job: Job, name: str) -> Path | None:
        path = self.folder / job.name / name
        return path if path.is_file() and is_inside(path, self.project) else None

    def close(self) -> None:
        """Stop what is under way; the next studio says so of it, and of what waits."""
        self._is_closed.set()
        with self._lock:
            if self._hearing is not None:
                self._hearing[1].stop()
            self._claims.let_all_go()

    def _work(self) -> None:
        while not self._is_closed.is_set():
            name = self._queue.get()
            try:
                hearing = self._start(name)
                if hearing is None:
                    continue
                run = hearing.wait(lambda seconds, job=name: self._change(job, heard_seconds=seconds))  # type: ignore[misc]
                self._change(name, state="done", run=run)
            except LowresError as error:
                self._change(name, state="failed", problem=f"{error.message} {error.hint}".strip())
            finally:
                with self._lock:
                    self._hearing = None

    def _start(self, name: str) -> Hearing | None:
        """Have a recording heard; None where nobody wants it any more."""
        with self._lock:
            job = self._jobs.get(name)
            if job is None or self._is_closed.is_set():
                return None
            try:
                hearing = self._hear(self.project, self.folder / job.name / job.file_name)
            except OSError as error:
                raise LowresError(
                    f"The process that transcribes could not be started: {error.strerror or error}.",
                    "Close other programs, then drop the recording once more.",
                ) from error
            self._hearing = (name, hearing)
            self._keep(replace(job, state="running"))
            return hearing

    def _change(self, name: str, **changes: object) -> None:
        with self._lock:
            job = self._jobs.get(name)
            if job is not None and not self._is_closed.is_set():
                self._keep(replace(job, **changes), is_written="state" in changes)  # type: ignore[arg-type]

    def _keep(self, job: Job, *, is_written: bool = True) -> None:
        self._jobs[job.name] = job
        if is_written:
            content = json.dumps({"format_version": _FORMAT_VERSION, **asdict(job)}).encode()
            with suppress(OSError):  # the job goes on; after a restart of the studio it would not be listed
                replace_file(self.folder / job.name / _JOB_FILE, [content, b"\n"])
        if job.state not in _UNFINISHED:
            self._claims.let_go(self.folder / job.name)

    def _read_all(self) -> list[Job]:
        """Read the jobs of earlier studios, and delete what was left of recordings that did not come whole."""
        if not self.folder.is_dir() or not is_inside(self.folder, self.project):
            return []
        with suppress(OSError):  # an earlier studio left a mark that has recordings read from above
            mark_uploads(self.folder)
        for partial in self.folder.glob(f"*{PARTIAL_SUFFIX}"):
            with suppress(OSError):
                # A younger one may just be coming, to another studio of this project.
                if time.time() - partial.lstat().st_mtime > _SECONDS_TO_COME:
                    partial.unlink()
        # The old ones first: a transcript of that name is no record, and the record of now counts.
        paths = [path for name in (_OLD_JOB_FILE, _JOB_FILE) for path in self.folder.glob(f"*/{name}")]
        found = (self._read(path) for path in paths if is_inside(path, self.project))
        return list({job.name: job for job in found if job is not None}.values())

    def _read(self, path: Path) -> Job | None:
        # Before the record is read: whoever claims it lets go only after its last word is written.
        is_under_way = is_claimed(path.parent)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.pop("format_version") != _FORMAT_VERSION:
                return None
            job = TypeAdapter(Job).validate_json(json.dumps(data), strict=True)
            if job.name != path.parent.name or Path(job.file_name).name != job.file_name:
                return None
        except (OSError, *ON_NONSENSE):
            return None
        if job.state in _UNFINISHED and not is_under_way:
            return replace(job, state="failed", problem="The studio was closed before it was transcribed.")
        return job
