"""One bad recording costs itself alone, and what stops everything keeps what is finished."""

import errno
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import dying
import numpy as np
import pytest
import soundfile
import torch
from transcribing import JSON, RATE, SPEC, bursts, files_in, heard, listen, words, write_speech

from lowres.errors import CorpusError, LowresError
from lowres.stages import transcribe as stage
from lowres.stages import transcribe_work, transcribe_writing
from lowres.stages.transcribe_files import read_record


def outputs_of(folder: Path) -> list[str]:
    return sorted(name for name in files_in(folder) if name != "transcribed.json")


def test_bad_recordings_are_named_and_the_rest_is_done(tiny_project: Path, archive: Path) -> None:
    whole = (archive / "rec1.wav").read_bytes()
    (archive / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (archive / "empty.wav").write_bytes(b"")
    (archive / "text.wav").write_text("This is a letter.\n" * 200, encoding="utf-8")
    (archive / "zip.mp3").write_bytes(b"PK\3\4" + bytes(range(256)) * 40)
    soundfile.write(archive / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    soundfile.write(archive / "none.wav", np.zeros(0), RATE)
    (archive / "out.wav").symlink_to("/etc/hostname")
    result = listen(tiny_project, archive)
    assert sorted(one.name for one in result.done) == ["rec0.wav", "rec1.wav", "rec2.wav"]
    said = dict(result.problems)
    assert sorted(said) == ["cut.wav", "empty.wav", "nan.wav", "none.wav", "out.wav", "text.wav", "zip.mp3"]
    for name, problem in said.items():
        assert name in problem, problem
        assert problem.endswith("."), problem
    assert outputs_of(result.folder) == ["rec0.json", "rec1.json", "rec2.json"]


def test_music_hum_and_a_hundred_channels_are_transcribed(tiny_project: Path, tmp_path: Path) -> None:
    time_axis = np.arange(20 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time_axis) for pitch in (220, 277, 330, 440)) / 8
    soundfile.write(tmp_path / "music.wav", chord * (1 + np.sin(2 * np.pi * 2 * time_axis)) / 2, RATE)
    soundfile.write(tmp_path / "hum.wav", 0.3 * np.sin(2 * np.pi * 50 * time_axis), RATE)
    burst = bursts([(0.5, 1.5)], 2.0)
    soundfile.write(tmp_path / "many.wav", np.tile(burst[:, None], (1, 100)), RATE)
    result = listen(tiny_project, *(tmp_path / f"{name}.wav" for name in ("music", "hum", "many")))
    assert not result.problems
    assert words(heard(result, "many"))


@pytest.mark.slow
def test_a_hundred_channels_can_be_a_hundred_voices(tiny_project: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "many.wav", np.tile(bursts([(0.5, 1.5)], 2.0)[:, None], (1, 100)), RATE)
    each = listen(tiny_project, tmp_path / "many.wav", spec=replace(SPEC, each_channel=True))
    assert len({one.voice for one in heard(each, "many").utterances}) == 100


def test_a_channel_that_is_not_there_is_a_problem_of_its_recording(tiny_project: Path, archive: Path) -> None:
    soundfile.write(archive / "two.wav", np.stack([bursts([(0, 1)], 2.0)] * 2, axis=1), RATE)
    result = listen(tiny_project, archive, spec=replace(SPEC, channel=1))
    assert [one.name for one in result.done] == ["two.wav"]
    assert all("no channel 1" in problem for _, problem in result.problems)


def test_a_recording_that_grows_is_not_taken_for_whole(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen_as_it_is = transcribe_work.transcribe_recording

    def listen_and_record(listener: object, path: Path, **more: object) -> object:
        found = listen_as_it_is(listener, path, **more)  # type: ignore[arg-type]
        if path.name == "rec1.wav":
            with path.open("ab") as file:
                file.write(bytes(1000))
        return found

    monkeypatch.setattr(transcribe_work, "transcribe_recording", listen_and_record)
    result = listen(tiny_project, archive)
    ((name, problem),) = result.problems
    assert name == "rec1.wav"
    assert "changed while it was read" in problem
    assert outputs_of(result.folder) == ["rec0.json", "rec2.json"]


def fail_at_rec1(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    listen_as_it_is = transcribe_work.transcribe_recording

    def fail(listener: object, path: Path, **more: object) -> object:
        if path.name == "rec1.wav":
            raise error
        return listen_as_it_is(listener, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(transcribe_work, "transcribe_recording", fail)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_recording_that_memory_does_not_suffice_for_is_named_and_the_rest_is_done(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_at_rec1(error, monkeypatch)
    result = listen(tiny_project, archive, spec=replace(SPEC, batch_seconds=3600.0))
    assert [one.name for one in result.done] == ["rec0.wav", "rec2.wav"]
    ((name, problem),) = result.problems
    assert name == "rec1.wav"
    assert problem == f"{archive / 'rec1.wav'}: there is too little memory to hear it. Give a smaller --batch-seconds."


def test_a_defect_of_ours_is_not_taken_for_too_little_memory(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at_rec1(RuntimeError("shapes differ"), monkeypatch)
    with pytest.raises(RuntimeError, match="shapes differ"):
        listen(tiny_project, archive)


def test_a_recording_that_goes_away_is_a_problem(tiny_project: Path, archive: Path) -> None:
    def take_away(progress: stage.TranscribeProgress) -> None:
        (archive / "rec2.wav").unlink(missing_ok=True)

    result = stage.transcribe(tiny_project, [archive], JSON, SPEC, take_away)
    assert [name for name, _ in result.problems] == ["rec2.wav"]
    assert "No such file" in result.problems[0][1]


def test_a_file_that_cannot_be_written_takes_its_siblings_along(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = transcribe_writing.write_transcript

    def refuse_csv(transcript: object, path: Path, **more: object) -> None:
        if path.name.endswith("rec1.csv"):
            raise CorpusError(f"{path} cannot be written: no.", "Try elsewhere.")
        write(transcript, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(transcribe_writing, "write_transcript", refuse_csv)
    result = listen(tiny_project, archive, formats=("srt", "csv"))
    assert [name for name, _ in result.problems] == ["rec1.wav"]
    assert outputs_of(result.folder) == ["rec0.csv", "rec0.srt", "rec2.csv", "rec2.srt"]
    monkeypatch.undo()
    again = listen(tiny_project, archive, formats=("srt", "csv"))
    assert [one.name for one in again.done] == ["rec1.wav"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_everything_and_keeps_what_is_finished(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write_bytes = Path.write_bytes

    def refuse(path: Path, contents: bytes) -> int:
        if "rec1" in path.name:
            raise OSError(number, os.strerror(number))
        return write_bytes(path, contents)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(CorpusError, match="is full") as caught:
        listen(tiny_project, archive)
    assert "1 of 3 recordings are transcribed and kept" in caught.value.message
    folder = tiny_project / "transcripts" / "tiny"
    assert outputs_of(folder) == ["rec0.json"]
    monkeypatch.undo()
    again = listen(tiny_project, archive)
    assert (again.num_before, len(again.done)) == (1, 2)


def test_a_full_disk_that_takes_not_even_the_record_is_no_dead_end(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stage.write_record
    calls = []

    def refuse_later(folder: Path, record: object) -> None:
        calls.append(folder)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept(folder, record)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "write_record", refuse_later)
    with pytest.raises(CorpusError, match="is full"):
        listen(tiny_project, archive)
    monkeypatch.undo()
    assert len(listen(tiny_project, archive).done) == 3


def test_an_output_folder_that_may_not_be_written_to_is_refused_before_anything_is_heard(
    tiny_project: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "o").write_text("a file", encoding="utf-8")
    monkeypatch.setattr(transcribe_work, "transcribe_recording", lambda *_, **__: pytest.fail("it listened"))
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        listen(tiny_project, archive, output=tmp_path / "o")


def test_ctrl_c_keeps_what_is_finished(tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listen_as_it_is = transcribe_work.transcribe_recording

    def interrupted(listener: object, path: Path, **more: object) -> object:
        if path.name == "rec1.wav":
            raise KeyboardInterrupt
        return listen_as_it_is(listener, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(transcribe_work, "transcribe_recording", interrupted)
    with pytest.raises(KeyboardInterrupt):
        listen(tiny_project, archive)
    record = read_record(tiny_project / "transcripts" / "tiny")
    assert list(record.done) == ["rec0.wav"]
    assert record.under_way == {"rec1.wav": {"json"}, "rec2.wav": {"json"}}
    monkeypatch.undo()
    again = listen(tiny_project, archive)
    assert (again.num_before, len(again.done)) == (1, 2)


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_recordings_under_way(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "do_work", dying.take_for_ever)

    interrupted: list[float] = []

    def interrupt_when_begun() -> None:
        folder = tiny_project / "transcripts" / "tiny"
        while not ((folder / "rec2.json").exists() and list(archive.glob("*.begun"))):
            time.sleep(0.1)
        time.sleep(1)
        interrupted.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt_when_begun, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        listen(tiny_project, archive, num_workers=2)
    thread.join()
    assert time.monotonic() - interrupted[0] < 300
    assert list(read_record(tiny_project / "transcripts" / "tiny").done) == ["rec2.wav"]


@pytest.mark.slow
def test_a_process_that_dies_is_said_and_what_is_finished_is_kept(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "do_work", dying.die_at_rec1)
    with pytest.raises(LowresError, match="A process died while it transcribed"):
        listen(tiny_project, archive, num_workers=2)
    done = set(read_record(tiny_project / "transcripts" / "tiny").done)
    assert "rec1.wav" not in done
    assert done
    monkeypatch.undo()
    again = listen(tiny_project, archive)
    assert again.num_before == len(done)


@pytest.mark.slow
def test_a_disk_that_is_full_for_one_process_stops_them_all(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "do_work", dying.find_the_disk_full)
    with pytest.raises(CorpusError, match="is full"):
        listen(tiny_project, archive, num_workers=2)


def test_progress_counts_problems_and_recordings_of_unknown_length(tiny_project: Path, archive: Path) -> None:
    (archive / "bad.wav").write_bytes(b"no sound at all")
    seen: list[stage.TranscribeProgress] = []
    stage.transcribe(tiny_project, [archive], JSON, SPEC, seen.append)
    assert [(one.num_done, one.num_recordings) for one in seen] == [(number, 4) for number in range(5)]
    assert seen[0].total_seconds == seen[-1].done_seconds == pytest.approx(39.0)


def test_several_threads_of_one_process_hear_what_one_does(tiny_project: Path, archive: Path, tmp_path: Path) -> None:
    """Dask's workers have them; a detector remembers what it has heard."""
    alone = listen(tiny_project, archive, output=tmp_path / "alone")
    jobs = stage.plan_jobs(
        stage.survey_recordings([archive]).recordings, tmp_path / "threads", ("json",), into_elan=False
    )
    spec = replace(SPEC, project=tiny_project, checkpoint=tiny_project / "runs/tiny/checkpoints/best", name="tiny")
    threads = [
        threading.Thread(target=transcribe_work.do_work, args=(transcribe_work.Work(spec, job, "s"),)) for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        name = job.outputs["json"].name
        assert (tmp_path / "threads" / name).read_bytes() == (alone.folder / name).read_bytes()


def test_the_words_of_a_recording_do_not_depend_on_those_beside_it(tiny_project: Path, tmp_path: Path) -> None:
    write_speech(tmp_path / "a" / "x.wav", [(0.0, 4.0)], 6.0, seed=5)
    write_speech(tmp_path / "b" / "loud.wav", [(0.0, 9.0)], 9.0, seed=6)
    alone = heard(listen(tiny_project, tmp_path / "a", output=tmp_path / "1"), "x")
    beside = heard(listen(tiny_project, tmp_path / "b", tmp_path / "a", output=tmp_path / "2"), "x")
    assert alone == beside
