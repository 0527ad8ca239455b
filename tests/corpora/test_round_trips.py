"""Real corpora go out as ELAN and Praat files and come back with their times and texts."""

from pathlib import Path

import pandas as pd
import pytest
from real_corpora import LARGE_ONES_SLOWLY, real_table

from lowres.corpora.layouts import read_corpus
from lowres.corpora.settings import ReaderSettings
from lowres.corpora.written_annotations import AnnotationLayout, plan_recordings, write_annotation_file

pytestmark = pytest.mark.corpora

_ALL_SPLITS = {"other": "other"}
_MOST_RECORDINGS = 1_000


def some_recordings(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of 1,000 recordings at most, from beginning to end."""
    names = table["audio_path"].unique()
    kept = names[:: -(-len(names) // _MOST_RECORDINGS)]
    return table[table["audio_path"].isin(kept)].reset_index(drop=True)


def write_without_sound(table: pd.DataFrame, folder: Path, layout: AnnotationLayout) -> dict[str, list[int]]:
    """Write every file of annotations beside an empty recording; return the rows of each recording."""
    written = {}
    for recording in plan_recordings(table):
        (folder / recording.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{recording.name}.wav").write_bytes(b"")  # readers open no audio
        write_annotation_file(recording, folder, layout, f"{recording.name.rpartition('/')[2]}.wav")
        written[f"{recording.name}.wav"] = list(recording.rows)
    return written


@pytest.mark.parametrize("layout", ["elan", "textgrid"])
@pytest.mark.parametrize("name", LARGE_ONES_SLOWLY)
def test_a_real_manifest_comes_back_from_elan_and_praat_to_the_millisecond_and_to_the_letter(
    name: str, layout: AnnotationLayout, corpora_folder: Path, tmp_path: Path
) -> None:
    table = some_recordings(real_table(corpora_folder, name))
    written = write_without_sound(table, tmp_path, layout)
    reading = read_corpus(tmp_path, ReaderSettings(reader="annotated", split_names=_ALL_SPLITS))
    assert reading.skipped == []
    assert reading.notes == []
    assert len(reading.rows) == len(table)
    assert sum(map(len, written.values())) == len(table)
    read: dict[str, list[tuple[float, float, str, str]]] = {}
    for row in reading.rows:
        assert row.end_seconds is not None
        read.setdefault(row.audio_path, []).append((row.start_seconds, row.end_seconds, row.raw_text, row.speaker))
    cells = table[["start_seconds", "duration_seconds", "raw_text", "speaker"]].to_numpy()
    for audio, positions in written.items():
        wanted = [(start, start + length, text, who) for start, length, text, who in cells[positions].tolist()]
        found = sorted(read[audio])
        for have, want in zip(found, sorted(wanted), strict=True):
            assert have[0] == pytest.approx(want[0], abs=0.001)
            assert have[1] == pytest.approx(want[1], abs=0.001)
            assert have[2:] == want[2:]


def test_what_was_cut_from_one_recording_is_together_again(corpora_folder: Path) -> None:
    table = real_table(corpora_folder, "sarawak_malay")
    planned = plan_recordings(table)
    assert len(planned) == table["audio_path"].nunique() == 9
    assert all(len({tier.participant for tier in one.tiers}) == len(one.tiers) for one in planned)
