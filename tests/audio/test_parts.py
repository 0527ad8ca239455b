"""A part holds exactly the stretches that were asked for, each recording decoded once."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowres.audio import parts as parts_module
from lowres.audio.parts import RecordingJob, fingerprint_part, make_part, read_part


def ramp_recording(folder: Path, name: str = "a.wav", seconds: int = 10) -> Path:
    """Write a recording in which every sample tells its own second: 100 in the first, 200 in the next, ..."""
    samples = np.repeat(np.arange(1, seconds + 1, dtype=np.int16) * 100, 16_000)
    soundfile.write(folder / name, samples, 16_000, subtype="PCM_16")
    return folder / name


def job(path: Path, *spans: tuple[float, float | None]) -> RecordingJob:
    return RecordingJob(path, path.name, None, 1, 1, spans)


def stretches(folder: Path, *spans: tuple[float, float | None]) -> tuple[list[list[int]], int]:
    result = make_part(folder / "part.pcm", [job(ramp_recording(folder), *spans)])
    samples = np.fromfile(folder / "part.pcm", dtype="<i2")
    found = [
        sorted(set(samples[one.offset_samples : one.offset_samples + one.num_samples].tolist()))
        for one in result.recordings[0].utterances
    ]
    return found, result.num_samples


def test_each_utterance_gets_its_own_stretch(tmp_path: Path) -> None:
    found, num_samples = stretches(tmp_path, (1, 2), (5, 7))
    assert found == [[200], [600, 700]]
    assert num_samples == 3 * 16_000


def test_stretches_that_overlap_are_stored_once(tmp_path: Path) -> None:
    found, num_samples = stretches(tmp_path, (4, 6), (1, 3), (2, 5))
    assert found == [[500, 600], [200, 300], [300, 400, 500]]
    assert num_samples == 5 * 16_000


def test_an_open_end_reaches_the_end_of_the_recording(tmp_path: Path) -> None:
    found, num_samples = stretches(tmp_path, (8, None))
    assert found == [[900, 1000]]
    assert num_samples == 2 * 16_000


@pytest.mark.parametrize(
    ("span", "said"),
    [((12, 13), "starts at 12.00 s"), ((9, 15), "ends at 15.00 s"), ((5, 5), "not after its start")],
)
def test_impossible_stretches_are_described(tmp_path: Path, span: tuple[float, float], said: str) -> None:
    result = make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (0, 1), span)])
    assert result.recordings[0].utterances[0].problem == ""
    assert said in result.recordings[0].utterances[1].problem


def test_a_slip_of_one_end_costs_no_other_utterance_its_sound(tmp_path: Path) -> None:
    spans = [(20.0, 21.0), (40.0, 41.0), (50.0, 5.0)]
    result = make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path, seconds=60), *spans)])
    found = result.recordings[0].utterances
    assert [one.problem for one in found[:2]] == ["", ""]
    assert [one.num_samples for one in found] == [16_000, 16_000, 0]
    # Decoding stops long before 50 s, and that is not what is wrong with it.
    assert found[2].problem == "ends at 5.00 s, which is not after its start at 50.00 s"


def test_annotators_may_round_the_end(tmp_path: Path) -> None:
    result = make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (9, 10.3))])
    assert result.recordings[0].utterances[0].problem == ""
    assert result.recordings[0].utterances[0].num_samples == 16_000


def test_a_recording_is_opened_once_however_many_utterances_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    original = parts_module.open_recording
    monkeypatch.setattr(parts_module, "open_recording", lambda path, **k: opened.append(path) or original(path, **k))
    make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (0, 1), (1, 2), (3, 9))])
    assert len(opened) == 1


def test_a_damaged_recording_leaves_no_samples_and_spares_its_neighbours(tmp_path: Path) -> None:
    good, bad = ramp_recording(tmp_path, "good.wav", 2), ramp_recording(tmp_path, "bad.flac", 60)
    contents = bad.read_bytes()
    bad.write_bytes(contents[: len(contents) // 2])
    result = make_part(tmp_path / "part.pcm", [job(bad, (0, None)), job(good, (0, None))])
    assert result.recordings[0].problem.startswith("bad.flac is ")
    assert result.recordings[0].utterances == ()
    assert result.recordings[1].utterances[0].offset_samples == 0
    assert result.num_samples == 2 * 16_000


def test_a_finished_part_is_read_back_from_its_index(tmp_path: Path) -> None:
    result = make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (0, 1), (12, 13))])
    assert read_part(tmp_path / "part.pcm") == result


def test_a_name_that_is_not_utf_8_is_read_back_from_the_index(tmp_path: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.wav"), os.fsdecode(b"gone\xe9.wav")]
    jobs = [job(ramp_recording(tmp_path).rename(tmp_path / names[0]), (0, 1)), job(tmp_path / names[1], (0, 1))]
    result = make_part(tmp_path / "part.pcm", jobs)
    assert read_part(tmp_path / "part.pcm") == result
    assert [one.name for one in result.recordings] == names
    assert names[1] in result.recordings[1].problem


def test_an_index_whose_shard_was_cut_is_not_believed(tmp_path: Path) -> None:
    make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (0, 1))])
    (tmp_path / "part.pcm").write_bytes(b"\0\0")
    assert read_part(tmp_path / "part.pcm") is None


def test_a_damaged_index_is_not_believed(tmp_path: Path) -> None:
    make_part(tmp_path / "part.pcm", [job(ramp_recording(tmp_path), (0, 1))])
    (tmp_path / "part.json").write_text('{"recordings": [{}]}')
    assert read_part(tmp_path / "part.pcm") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "b.wav"},
        {"channel": 1},
        {"size_bytes": 2},
        {"modified_ns": 2},
        {"spans": ((0.0, 1.5),)},
    ],
)
def test_whatever_decides_the_samples_changes_the_fingerprint(changed: dict[str, object]) -> None:
    usual = {"path": Path("x"), "name": "a", "channel": None, "size_bytes": 1, "modified_ns": 1, "spans": ((0.0, 1.0),)}
    assert fingerprint_part([RecordingJob(**{**usual, **changed})]) != fingerprint_part([RecordingJob(**usual)])


def test_where_the_corpus_lies_does_not_change_the_fingerprint() -> None:
    one, other = (RecordingJob(Path(p), "a", None, 1, 1, ((0.0, None),)) for p in ("/here/a", "/there/a"))
    assert fingerprint_part([one]) == fingerprint_part([other])
