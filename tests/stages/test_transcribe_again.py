"""The same command again: what is done stays done, what changed is done anew, and nobody's work is written over."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from transcribing import JSON, RUN, SPEC, files_in, heard, listen, with_longest, words, write_run, write_speech

from lowres.errors import CorpusError
from lowres.stages import transcribe as stage
from lowres.stages import transcribe_work
from lowres.stages.transcribe_files import read_record, write_record


def never(*_: object, **__: object) -> None:
    pytest.fail("it listened")


def test_the_second_call_does_nothing(tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = listen(tiny_project, archive)
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}
    monkeypatch.setattr(transcribe_work, "transcribe_recording", never)
    again = listen(tiny_project, archive)
    assert (again.num_before, again.done, again.problems) == (3, (), ())
    assert {path: path.stat().st_mtime_ns for path in again.folder.iterdir()} == before


def test_a_recording_that_changed_is_done_anew_and_the_others_are_not(tiny_project: Path, archive: Path) -> None:
    listen(tiny_project, archive)
    write_speech(archive / "rec1.wav", [(1.0, 3.0)], 5.0, seed=9)
    again = listen(tiny_project, archive)
    assert [one.name for one in again.done] == ["rec1.wav"]
    assert heard(again, "rec1").duration_seconds == 5.0


def test_a_transcript_that_is_gone_is_made_anew(tiny_project: Path, archive: Path) -> None:
    first = listen(tiny_project, archive)
    (first.folder / "rec2.json").unlink()
    assert [one.name for one in listen(tiny_project, archive).done] == ["rec2.wav"]


def test_other_settings_another_recogniser_or_language_model_mean_anew(tiny_project: Path, archive: Path) -> None:
    """In one process, as in a notebook: the recogniser that is open must not be the old one."""
    first = words(heard(listen(tiny_project, archive), "rec0"))
    assert len(listen(tiny_project, archive, spec=with_longest(5.0)).done) == 3
    assert len(listen(tiny_project, archive, spec=with_longest(5.0)).done) == 0
    write_run(tiny_project, head_gain=2.0)
    changed = listen(tiny_project, archive)
    assert len(changed.done) == 3
    assert words(heard(changed, "rec0")) != first
    model = tiny_project / "runs" / RUN / "checkpoints" / "best" / "language_model" / "language_model.json"
    model.parent.mkdir()
    model.write_text("{}", encoding="utf-8")
    with pytest.raises(Exception, match="language_model"):
        listen(tiny_project, archive)


def test_another_format_is_added_and_the_first_one_stays_ours(tiny_project: Path, archive: Path) -> None:
    listen(tiny_project, archive)
    listen(tiny_project, archive, formats=("srt",))
    result = listen(tiny_project, archive, formats=("json", "srt"))
    assert len(result.done) == 3
    assert {Path(name).suffix for name in files_in(result.folder)} == {".json", ".srt"}


def test_files_of_others_are_refused_before_anything_is_heard(
    tiny_project: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_project / "transcripts" / RUN
    folder.mkdir(parents=True)
    (folder / "rec1.json").write_text("mine", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(transcribe_work, "transcribe_recording", never)
        with pytest.raises(CorpusError, match="was not written by this command"):
            listen(tiny_project, archive)
    assert files_in(folder) == {"rec1.json": b"mine"}
    assert len(listen(tiny_project, archive, overwrite=True).done) == 3
    assert listen(tiny_project, archive).num_before == 3


def test_a_transcript_that_somebody_corrected_is_not_written_over(tiny_project: Path, archive: Path) -> None:
    result = listen(tiny_project, archive, formats=("text",))
    (result.folder / "rec1.txt").write_text("corrected by hand", encoding="utf-8")
    assert listen(tiny_project, archive, formats=("text",)).num_before == 3
    write_run(tiny_project, head_gain=2.0)
    with pytest.raises(CorpusError, match=r"rec1\.txt was changed since it was written"):
        listen(tiny_project, archive, formats=("text",))
    assert (result.folder / "rec1.txt").read_text(encoding="utf-8") == "corrected by hand"


def test_recordings_of_another_folder_do_not_take_the_place_of_the_first(tiny_project: Path, tmp_path: Path) -> None:
    for folder, seed in (("one", 1), ("two", 2)):
        write_speech(tmp_path / folder / "a.wav", [(0.5, 1.5)], 3.0 + seed, seed=seed)
    first = heard(listen(tiny_project, tmp_path / "one"), "a")
    with pytest.raises(CorpusError, match="has the name that"):
        listen(tiny_project, tmp_path / "two")
    assert heard(listen(tiny_project, tmp_path / "one"), "a") == first


def test_a_folder_that_moved_is_still_done(tiny_project: Path, archive: Path, tmp_path: Path) -> None:
    listen(tiny_project, archive)
    archive.rename(tmp_path / "elsewhere")
    assert listen(tiny_project, tmp_path / "elsewhere").num_before == 3


def interrupt_at(name: str, project: Path, archive: Path, **changes: object) -> None:
    """Transcribe, and press Ctrl-C as soon as a recording is begun."""
    listen_as_it_is = transcribe_work.transcribe_recording

    def interrupted(listener: object, path: Path, **more: object) -> object:
        if path.name == name:
            raise KeyboardInterrupt
        return listen_as_it_is(listener, path, **more)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transcribe_work, "transcribe_recording", interrupted)
        with pytest.raises(KeyboardInterrupt):
            listen(project, archive, **changes)  # type: ignore[arg-type]


def test_files_of_a_call_that_was_killed_are_written_anew(tiny_project: Path, archive: Path) -> None:
    """Killed after the files were written, ELAN's with the moment it was, and before the record was."""
    formats = ("elan", "json")
    result = listen(tiny_project, archive, formats=formats)
    record = read_record(result.folder)
    record.under_way["rec1.wav"] = {"elan", "json"}
    del record.done["rec1.wav"]
    write_record(result.folder, record)
    elan = result.folder / "rec1.eaf"
    elan.write_bytes(re.sub(rb'DATE="[^"]*"', b'DATE="2020-02-02T02:02:02+00:00"', elan.read_bytes()))
    again = listen(tiny_project, archive, formats=formats)
    assert ([one.name for one in again.done], again.num_before) == (["rec1.wav"], 2)
    assert not read_record(result.folder).under_way


def test_another_format_after_an_interruption_spares_the_files_that_are_there(
    tiny_project: Path, archive: Path
) -> None:
    (archive / "rec2.txt").write_text("by hand", encoding="utf-8")
    interrupt_at("rec1.wav", tiny_project, archive, formats=("elan",), output=archive)
    with pytest.raises(CorpusError, match=r"rec2\.txt is there already, and was not written by this command"):
        listen(tiny_project, archive, formats=("text",), output=archive)
    assert (archive / "rec2.txt").read_text(encoding="utf-8") == "by hand"


def test_a_file_that_somebody_made_after_an_interruption_costs_its_recording_alone(
    tiny_project: Path, archive: Path
) -> None:
    interrupt_at("rec1.wav", tiny_project, archive, formats=("elan", "text"), output=archive)
    (archive / "rec2.txt").write_text("by hand", encoding="utf-8")
    again = listen(tiny_project, archive, formats=("elan", "text"), output=archive)
    assert (again.num_before, [one.name for one in again.done]) == (1, ["rec1.wav"])
    ((name, problem),) = again.problems
    assert name == "rec2.wav"
    assert "rec2.txt is there already, and was not written by this command. Move it away" in problem
    assert (archive / "rec2.txt").read_text(encoding="utf-8") == "by hand"
    assert not (archive / "rec2.eaf").exists()


def test_files_saved_while_the_command_runs_are_not_written_over(tiny_project: Path, archive: Path) -> None:
    """New ones, and one that an earlier call wrote."""
    first = listen(tiny_project, archive, formats=("text",))
    (first.folder / "rec2.txt").unlink()
    write_run(tiny_project, head_gain=2.0)

    def save(progress: stage.TranscribeProgress) -> None:
        if progress.num_done == 1:
            for name in ("rec1.txt", "rec2.txt"):
                (first.folder / name).write_text(name, encoding="utf-8")

    result = stage.transcribe(tiny_project, [archive], replace(JSON, formats=("text",)), SPEC, save)
    assert [name for name, _ in result.problems] == ["rec1.wav", "rec2.wav"]
    assert "rec1.txt was changed since it was written" in result.problems[0][1]
    for name in ("rec1.txt", "rec2.txt"):
        assert (first.folder / name).read_text(encoding="utf-8") == name
    assert sorted(path.name for path in first.folder.glob("*rec*")) == ["rec0.txt", "rec1.txt", "rec2.txt"]


def test_a_problem_is_tried_again(tiny_project: Path, archive: Path) -> None:
    whole = (archive / "rec1.wav").read_bytes()
    (archive / "rec1.wav").write_bytes(whole[:1000])
    assert len(listen(tiny_project, archive).problems) == 1
    assert len(listen(tiny_project, archive).problems) == 1
    (archive / "rec1.wav").write_bytes(whole)
    again = listen(tiny_project, archive)
    assert (len(again.done), again.num_before, again.problems) == (1, 2, ())


def test_the_output_may_lie_inside_or_be_the_folder_of_recordings(tiny_project: Path, archive: Path) -> None:
    for output in (archive / "transcripts", archive):
        assert len(listen(tiny_project, archive, formats=("elan", "text"), output=output).done) == 3
        assert listen(tiny_project, archive, formats=("elan", "text"), output=output).num_before == 3


def test_recordings_beside_their_transcripts_are_found_again_from_the_folder_above(
    tiny_project: Path, archive: Path
) -> None:
    formats = ("elan", "text")
    listen(tiny_project, archive, formats=formats, output=archive)
    write_speech(archive.parent / "all" / "2024" / "new.wav", [(0.2, 1.0)], 1.5)
    archive.rename(archive.parent / "all" / "2023")
    result = listen(tiny_project, archive.parent / "all", formats=formats)
    assert [one.name for one in result.done] == ["2023/rec0.wav", "2023/rec1.wav", "2023/rec2.wav", "2024/new.wav"]


def test_relative_paths_and_names_of_any_script_or_none(
    tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["ɛ́ñ 语.wav", "[bold]x.wav", "a b'c\"d.wav", "100% #1.wav", "-o.wav", os.fsdecode(b"caf\xe9.wav")]
    for name in names:
        write_speech(tmp_path / "rec" / "plain.wav", [(0.2, 1.0)], 1.5).rename(tmp_path / "rec" / name)
    monkeypatch.chdir(tmp_path)
    formats = ("elan", "textgrid", "srt", "vtt", "csv", "json", "text")
    result = listen(Path("project"), Path("rec"), formats=formats)
    assert result.problems == ()
    assert sorted(one.name for one in result.done) == sorted(names)
    for name in names:
        for suffix in (".eaf", ".TextGrid", ".srt", ".vtt", ".csv", ".json", ".txt"):
            assert (tmp_path / "project/transcripts/tiny" / name).with_suffix(suffix).is_file()
    assert heard(result, "ɛ́ñ 语").recording == "ɛ́ñ 语.wav"
    assert listen(Path("project"), Path("rec"), formats=formats).num_before == len(names)
