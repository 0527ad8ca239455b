"""Which recordings are found, under which names, and what is never written over."""

import hashlib
import os
from pathlib import Path

import pytest

from lowres.errors import CorpusError
from lowres.stages.transcribe_files import (
    Done,
    FileStamp,
    Record,
    demand_free,
    is_done,
    plan_jobs,
    read_record,
    settings_hash,
    stamp_of,
    survey_recordings,
    write_record,
)


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    return folder


def names_in(*sources: Path) -> list[str]:
    return [name for _, name in survey_recordings(sources).recordings]


def test_recordings_are_found_in_order_and_hidden_ones_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "b.wav", "a/Z.MP3", "a/.c.wav", ".trash/d.wav", "__MACOSX/e.wav", "notes.txt", "ɛ́ 语.flac")
    assert names_in(tmp_path) == ["a/Z.MP3", "b.wav", "ɛ́ 语.flac"]


def test_a_folder_given_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "rec/sub/a.wav", "rec/b.wav")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "linked").symlink_to("rec")
    sources = [Path("rec"), tmp_path / "rec", Path("rec/../rec"), Path("rec/b.wav"), Path("rec/sub"), Path("linked")]
    assert names_in(*sources) == ["b.wav", "sub/a.wav"]


def test_what_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for source, said in ((tmp_path / "none", "is not there"), (tmp_path / "pipe.wav", "is no ordinary file")):
        with pytest.raises(CorpusError, match=said):
            survey_recordings([source])
    with pytest.raises(CorpusError, match="There is no recording in"):
        survey_recordings([touch(tmp_path / "texts", "a.txt")])


def test_links_that_lead_out_of_a_folder_and_pipes_are_named_and_not_read(tmp_path: Path) -> None:
    touch(tmp_path, "private/secret.wav", "rec/a.wav")
    (tmp_path / "rec" / "out.wav").symlink_to("../private/secret.wav")
    (tmp_path / "rec" / "folder").symlink_to("../private")
    (tmp_path / "rec" / "gone.wav").symlink_to("nothing.wav")
    (tmp_path / "rec" / "in.wav").symlink_to("a.wav")
    os.mkfifo(tmp_path / "rec" / "pipe.wav")
    found = survey_recordings([tmp_path / "rec"])
    assert [name for _, name in found.recordings] == ["a.wav", "in.wav"]
    said = dict(found.problems)
    assert sorted(said) == ["gone.wav", "out.wav", "pipe.wav"]
    assert "is a link that leads out of" in said["out.wav"]
    assert "is a link to nothing" in said["gone.wav"]
    assert "is no ordinary file" in said["pipe.wav"]
    assert names_in(tmp_path / "rec" / "out.wav") == ["out.wav"]


def test_copies_in_another_format_are_left_out_and_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp3", "a.wav", "b.mp4", "b.MP3", "sub/a.wav", "c.wav")
    found = survey_recordings([tmp_path])
    assert [name for _, name in found.recordings] == ["a.wav", "b.MP3", "c.wav", "sub/a.wav"]
    assert found.notes == (
        "Left out, because a recording of the same name with another suffix lies beside each: a.mp3, b.mp4.",
    )


def test_two_recordings_with_one_name_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.wav", "two/a.wav", "one/a.mp3")
    with pytest.raises(CorpusError, match="files of the same name"):
        survey_recordings([tmp_path / "one", tmp_path / "two"])
    with pytest.raises(CorpusError, match="files of the same name"):
        survey_recordings([tmp_path / "one" / "a.wav", tmp_path / "one" / "a.mp3"])


def test_transcripts_keep_the_folders_and_the_dots_of_names(tmp_path: Path) -> None:
    touch(tmp_path / "rec", "a/b.2019.wav", "..wav")
    (job,) = plan_jobs(
        survey_recordings([tmp_path / "rec"]).recordings, tmp_path / "o", ("elan", "srt"), into_elan=False
    )
    assert job.outputs == {"elan": tmp_path / "o/a/b.2019.eaf", "srt": tmp_path / "o/a/b.2019.srt"}


def test_a_recording_or_its_elan_file_is_never_an_output(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.eaf", "b.txt")
    for name, form in (("a.wav", "elan"), ("b.txt", "text")):
        with pytest.raises(CorpusError, match="would be replaced by its own transcript"):
            plan_jobs([(tmp_path / name, name)], tmp_path, (form,), into_elan=True)  # type: ignore[arg-type]
    (job,) = plan_jobs([(tmp_path / "a.wav", "a.wav")], tmp_path, ("srt",), into_elan=True)
    assert job.elan == tmp_path / "a.eaf"


@pytest.mark.parametrize("name", ["transcribed.wav", "Transcribed.mp3"])
def test_a_transcript_that_would_take_the_place_of_the_record_is_refused(tmp_path: Path, name: str) -> None:
    recordings = [(touch(tmp_path, name) / name, name)]
    with pytest.raises(CorpusError, match="has the name of the file that keeps what was transcribed"):
        plan_jobs(recordings, tmp_path / "o", ("elan", "json"), into_elan=False)
    plan_jobs(recordings, tmp_path / "o", ("elan", "text"), into_elan=False)
    plan_jobs([(recordings[0][0], f"a/{name}")], tmp_path / "o", ("json",), into_elan=False)


def done_of(recording: Path, output: bytes = b"", **changes: object) -> Done:
    facts = {
        "name": recording.name, "recording": str(recording), "stamp": stamp_of(recording), "elan": FileStamp(),
        "settings": "s", "outputs": {"srt": settings_hash() if not output else _sha256(output)},
        "duration_seconds": 1.5, "speech_seconds": 1.0, "num_words": 3, "mean_confidence": None,
    }  # fmt: skip
    return Done(**{**facts, **changes})  # type: ignore[arg-type]


def _sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


def test_the_record_is_read_back_names_that_are_no_utf8_included(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    record = Record({name: done_of(touch(tmp_path, name) / name)}, {"ɛ́.wav": {"srt"}, name: {"elan", "json"}})
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert read_record(tmp_path / "elsewhere") == Record()


def test_a_record_that_says_not_in_which_formats_is_read_as_every_format(tmp_path: Path) -> None:
    """As it was written before it said so."""
    earlier = '{"format_version": 1, "under_way": ["a.wav"], "recordings": []}'
    (tmp_path / "transcribed.json").write_text(earlier, encoding="utf-8")
    assert {"elan", "json", "text"} < read_record(tmp_path).under_way["a.wav"]


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "{",
        "[]",
        '{"format_version": 2}',
        '{"format_version": 1}',
        '{"format_version": 1, "under_way": [], "recordings": [{"name": "a"}]}',
    ],
)
def test_a_damaged_record_is_refused_with_a_remedy(tmp_path: Path, contents: str) -> None:
    (tmp_path / "transcribed.json").write_text(contents, encoding="utf-8")
    with pytest.raises(CorpusError, match="cannot be read") as caught:
        read_record(tmp_path)
    assert "Move it away" in caught.value.hint


def test_done_is_what_is_as_it_was(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.eaf")
    (job,) = plan_jobs([(tmp_path / "a.wav", "a.wav")], tmp_path / "o", ("srt",), into_elan=False)
    record = Record({"a.wav": done_of(tmp_path / "a.wav")})
    assert not is_done(job, record, "s")
    touch(tmp_path / "o", "a.srt")
    assert is_done(job, record, "s")
    assert not is_done(job, record, "other settings")
    (beside,) = plan_jobs([(tmp_path / "a.wav", "a.wav")], tmp_path / "o", ("srt",), into_elan=True)
    assert not is_done(beside, record, "s")
    os.utime(tmp_path / "a.wav", ns=(1, 1))
    assert not is_done(job, record, "s")
    (tmp_path / "a.wav").unlink()
    assert not is_done(job, record, "s")


def test_only_files_as_lowres_left_them_are_written_over(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "o/a.srt", "moved/a.wav")
    (job,) = plan_jobs([(tmp_path / "a.wav", "a.wav")], tmp_path / "o", ("srt",), into_elan=False)
    with pytest.raises(CorpusError, match="was not written by this command"):
        demand_free([job], Record())
    demand_free([job], Record(under_way={"a.wav": {"srt"}}))
    with pytest.raises(CorpusError, match="was not written by this command"):
        demand_free([job], Record(under_way={"a.wav": {"elan"}}))
    demand_free([job], Record({"a.wav": done_of(tmp_path / "a.wav", b"sound")}))
    with pytest.raises(CorpusError, match="was changed since it was written"):
        demand_free([job], Record({"a.wav": done_of(tmp_path / "a.wav", b"other")}))
    with pytest.raises(CorpusError, match="was not written by this command"):
        demand_free([job], Record({"a.wav": done_of(tmp_path / "a.wav", outputs={"elan": "0"})}))
    other = done_of(tmp_path / "elsewhere" / "a.wav", b"sound")
    with pytest.raises(CorpusError, match="has the name that"):
        demand_free([job], Record({"a.wav": other}))


def test_a_link_to_nothing_is_not_written_through(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.srt").symlink_to(tmp_path / "elsewhere.srt")
    (job,) = plan_jobs([(tmp_path / "a.wav", "a.wav")], tmp_path / "o", ("srt",), into_elan=False)
    with pytest.raises(CorpusError, match="is there already"):
        demand_free([job], Record())
