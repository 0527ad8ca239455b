"""Recordings are heard one at a time; what fails is a sentence, and what is done is there after a restart."""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from listening import write_bursts, write_run

from lowres.corpora.files import UPLOADS_MARK, mark_machine_made, walk_files
from lowres.errors import LowresError
from lowres.stages.transcribe_work import ListenerSpec
from lowres.studio.hearing import Hearing, _hear
from lowres.studio.jobs import Job, Jobs
from lowres.studio.uploads import Upload


class Rehearsal:
    """Stands for a process: hears when it is told to."""

    started: list[str]

    def __init__(self, fails: str = "") -> None:
        self.fails, self.go, self.started, self.stopped = fails, threading.Event(), [], 0

    def __call__(self, project: Path, recording: Path) -> "Rehearsal":
        self.started.append(recording.name)
        return self

    def wait(self, heard: Callable[[float], None]) -> str:
        heard(1.5)
        self.go.wait(10)
        if self.fails:
            raise LowresError(self.fails, "Try another.")
        return "tiny"

    def stop(self) -> None:
        self.stopped += 1
        self.go.set()


def add(jobs: Jobs, name: str = "a.wav") -> Job:
    folder = jobs.upload_folder()
    path = folder / "coming.partial"
    path.write_bytes(b"RIFF")
    return jobs.add(Upload(path, name))


def until(jobs: Jobs, job: Job, state: str, seconds: float = 60.0) -> Job:
    deadline = time.monotonic() + seconds
    while (now := jobs.get(job.name)) is None or now.state != state:
        assert time.monotonic() < deadline, now
        time.sleep(0.02)
    return now


def test_one_is_heard_at_a_time_and_the_others_know_how_many_are_before_them(tmp_path: Path) -> None:
    hearing = Rehearsal()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    first, second, third = add(jobs, "a.wav"), add(jobs, "b.wav"), add(jobs, "c.wav")
    until(jobs, first, "running")
    assert hearing.started == ["a.wav"]
    assert [jobs.num_before(job.name) for job in (first, second, third)] == [0, 1, 2]
    hearing.go.set()
    until(jobs, third, "done")
    assert hearing.started == ["a.wav", "b.wav", "c.wav"]
    assert [job.file_name for job in jobs.all()] == ["c.wav", "b.wav", "a.wav"]


def test_what_was_dropped_is_never_read_as_a_corpus(tmp_path: Path) -> None:
    """Not even what was, when a studio left the mark of transcripts, beside which recordings are read."""
    add(Jobs(tmp_path, Rehearsal()))  # type: ignore[arg-type]
    assert list(walk_files(tmp_path, "", [".wav"])) == []
    (tmp_path / "studio" / UPLOADS_MARK).unlink()
    mark_machine_made(tmp_path / "studio")
    assert len(list(walk_files(tmp_path, "", [".wav"]))) == 1
    Jobs(tmp_path)
    assert list(walk_files(tmp_path, "", [".wav"])) == []


def test_what_fails_is_a_sentence_and_the_next_one_is_heard(tmp_path: Path) -> None:
    hearing = Rehearsal(fails="It is damaged.")
    hearing.go.set()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    assert until(jobs, add(jobs), "failed").problem == "It is damaged. Try another."
    hearing.fails = ""
    until(jobs, add(jobs), "done")


def test_a_recording_that_the_disk_refuses_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, Rehearsal())  # type: ignore[arg-type]
    with pytest.raises(LowresError, match="could not be written into the project"):
        add(jobs, "x" * 300 + ".wav")
    assert jobs.all() == []
    assert [path for path in jobs.folder.iterdir() if path.is_dir() or path.suffix == ".partial"] == []


def test_a_process_that_cannot_be_started_is_a_sentence_and_the_next_one_is_heard(tmp_path: Path) -> None:
    hearing = Rehearsal()
    hearing.go.set()
    refusals = [OSError(errno.ENOMEM, "Cannot allocate memory")]

    def hear(project: Path, recording: Path) -> Rehearsal:
        if refusals:
            raise refusals.pop()
        return hearing(project, recording)

    jobs = Jobs(tmp_path, hear)  # type: ignore[arg-type]
    problem = until(jobs, add(jobs), "failed").problem
    assert problem.startswith("The process that transcribes could not be started: Cannot allocate memory.")
    until(jobs, add(jobs), "done")


def test_a_job_that_is_deleted_is_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    hearing = Rehearsal()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    job = add(jobs)
    until(jobs, job, "running")
    jobs.remove(job.name)
    assert hearing.stopped == 1
    assert jobs.get(job.name) is None
    assert not (tmp_path / "studio" / job.name).exists()


def test_what_was_done_is_there_after_a_restart_and_what_was_not_says_so(tmp_path: Path) -> None:
    hearing = Rehearsal()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    done, other = add(jobs, "a.wav"), add(jobs, "b.wav")
    hearing.go.set()
    until(jobs, done, "done")
    until(jobs, other, "done")
    again = Jobs(tmp_path)
    assert again.get(done.name) == jobs.get(done.name)
    hearing.go.clear()
    cut = add(jobs, "c.wav")
    until(jobs, cut, "running")
    jobs.close()
    found = Jobs(tmp_path).get(cut.name)
    assert found is not None
    assert (found.state, found.problem) == ("failed", "The studio was closed before it was transcribed.")


def test_another_studio_shows_what_is_under_way_in_this_one_and_what_became_of_it(tmp_path: Path) -> None:
    hearing = Rehearsal()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    first, second = add(jobs, "a.wav"), add(jobs, "b.wav")
    until(jobs, first, "running")
    other = Jobs(tmp_path)
    assert [job.state for job in other.all()] == ["queued", "running"]
    with pytest.raises(LowresError, match="in another studio"):
        other.remove(first.name)
    hearing.go.set()
    until(other, second, "done")
    assert other.all() == jobs.all()
    other.remove(first.name)
    assert other.get(first.name) is None


def test_a_recording_called_job_keeps_its_transcript_and_its_record(tmp_path: Path) -> None:
    hearing = Rehearsal()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    job = add(jobs, "job.wav")
    until(jobs, job, "running")
    written = tmp_path / "studio" / job.name / "job.json"
    written.write_text("what was heard", encoding="utf-8")
    hearing.go.set()
    until(jobs, job, "done")
    assert jobs.transcript(job, ".json") == written
    assert written.read_text("utf-8") == "what was heard"
    assert Jobs(tmp_path).get(job.name) == jobs.get(job.name)


def test_records_under_their_old_name_are_read(tmp_path: Path) -> None:
    hearing = Rehearsal()
    hearing.go.set()
    jobs = Jobs(tmp_path, hearing)  # type: ignore[arg-type]
    job = until(jobs, add(jobs), "done")
    folder = tmp_path / "studio" / job.name
    (folder / ".job.json").rename(folder / "job.json")
    assert Jobs(tmp_path).all() == [job]


def test_old_remains_go_and_damaged_records_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "studio"
    (folder / "x").mkdir(parents=True)
    for name, record in (("x", "{"), ("y", '{"format_version": 1, "name": "y", "file_name": "../../secret"}')):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / ".job.json").write_text(record, encoding="utf-8")
    old, young = folder / "old.partial", folder / "young.partial"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    assert Jobs(tmp_path).all() == []
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.slow
def test_a_process_hears_a_recording_and_tells_how_far_it_is(tmp_path: Path) -> None:
    project = write_run(tmp_path)
    recording = write_bursts(tmp_path / "bursts.wav", seconds=8.0)
    told: list[float] = []
    assert Hearing(project, recording, detector="energy").wait(told.append) == "tiny"
    assert told == sorted(told)
    assert told[-1] <= 8.0
    written = {path.suffix for path in tmp_path.glob("bursts.*")}
    assert written == {".wav", ".eaf", ".TextGrid", ".srt", ".json", ".txt"}


def test_a_damaged_recording_is_a_sentence(tmp_path: Path) -> None:
    project = write_run(tmp_path)
    recording = tmp_path / "damaged.wav"
    recording.write_bytes(b"RIFF nonsense")
    sent: list[tuple[str, object]] = []
    messages = SimpleNamespace(send=sent.append)
    before = signal.getsignal(signal.SIGINT)
    _hear(ListenerSpec(project, detector="energy"), recording, messages)  # type: ignore[arg-type]
    signal.signal(signal.SIGINT, before)
    ((kind, sentence),) = sent
    assert kind == "failed"
    assert "damaged.wav" in str(sentence)


@pytest.mark.slow
def test_a_process_that_dies_is_a_sentence(tmp_path: Path) -> None:
    hearing = Hearing(write_run(tmp_path), write_bursts(tmp_path / "bursts.wav"))
    hearing._process.kill()
    with pytest.raises(LowresError, match="died"):
        hearing.wait(lambda _seconds: None)
