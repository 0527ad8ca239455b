"""The trial of the guided walk: real training on some of the speech, for as long as it was told to."""

import tempfile
from pathlib import Path

import pytest
from tone_corpus import TINY_RECIPE
from walks import SPEAKERS, write_paired

from lowres.corpora.layouts import read_corpus
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.recipe import parse_recipe
from lowres.stages.start_trial import sample_rows, try_backbone

RECIPE = parse_recipe(TINY_RECIPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_paired(tmp_path / "recordings", per_speaker=2)


def test_a_trial_trains_for_the_time_it_is_given_and_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    rows = read_corpus(folder, ReaderSettings()).rows
    told: list[tuple[int, int]] = []
    speed = try_backbone(
        folder, rows, RECIPE, "none", lambda *gone: told.append(gone), hours=1.0, mean_seconds=3.0, seconds=1.0
    )
    assert 1.0 <= speed.seconds < 30
    assert speed.updates == len(told) - 1
    assert speed.hours_per_hour > 0
    assert speed.usual_hours == 50.0  # 15,000 updates of 12 s, as docs/ADAPTATION.md has them for an hour
    assert list((tmp_path / "temporary").glob("lowres-*")) == []


def test_a_trial_on_recordings_that_are_none_says_so(folder: Path) -> None:
    for path in folder.glob("*.wav"):
        path.write_bytes(b"nothing")
    rows = read_corpus(folder, ReaderSettings()).rows
    with pytest.raises(CorpusError, match="None of the recordings"):
        try_backbone(folder, rows, RECIPE, "none", lambda *_: None, hours=1.0, mean_seconds=3.0)


def test_the_sample_comes_from_all_over_the_corpus_and_passes_over_what_cannot_be_trained_on() -> None:
    rows = [
        UtteranceRow(f"{name}-{number}", f"{name}.wav", start_seconds=5.0 * number, end_seconds=5.0 * number + 4)
        for name in (*SPEAKERS, "long")
        for number in range(10)
    ]
    table = table_from_rows(rows)
    table.loc[table["audio_path"] == "long.wav", "duration_seconds"] = 500.0
    table.loc[table["utterance_id"] == "ama-0", "included"] = False
    sample = sample_rows(table, rows)
    assert {row.audio_path for row in sample} == {f"{name}.wav" for name in SPEAKERS}
    assert [row.utterance_id for row in sample[:2]] == ["ama-1", "ama-2"]
