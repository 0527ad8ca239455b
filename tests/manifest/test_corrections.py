"""The history of corrections: lines are only added, a torn one does not count, and only what still fits is applied."""

from pathlib import Path

import pytest

from lowres.errors import CorpusError
from lowres.manifest.corrections import (
    CORRECTIONS_FILE,
    Correction,
    CorrectionKind,
    append_correction,
    apply_corrections,
    last_taken,
    read_corrections,
)
from lowres.manifest.schema import UtteranceRow

ODD = 'a\tb\n"c" \u202e <script> mokɔ́ \udcff'


def correction(
    revision: int, after: str, *, name: str = "a", source: str = "source", kind: CorrectionKind = "corrected"
) -> Correction:
    return Correction("2026-11-28T09:30:00Z", name, revision, kind, "Ana", source, "before", after, "t0", "t1")


def test_what_is_added_comes_back_exactly(tmp_path: Path) -> None:
    added = [correction(1, ODD), correction(1, "x", name=ODD), correction(2, "y", source=ODD, kind="set aside")]
    for one in added:
        append_correction(tmp_path, one)
    assert read_corrections(tmp_path) == {"a": [added[0], added[2]], ODD: [added[1]]}


def test_a_project_without_corrections_has_none(tmp_path: Path) -> None:
    assert read_corrections(tmp_path) == {}


def test_a_line_that_was_torn_off_does_not_count_and_the_next_one_follows_whole_ones(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        append_correction(tmp_path, correction(number, f'line\n"{number}"'))
    path = tmp_path / CORRECTIONS_FILE
    whole = path.read_bytes()
    for length in range(whole.rindex(b"2026"), len(whole)):
        path.write_bytes(whole[:length])
        assert len(read_corrections(tmp_path)["a"]) == 2
        append_correction(tmp_path, correction(3, "again"))
        assert [one.raw_after for one in read_corrections(tmp_path)["a"]] == ['line\n"1"', 'line\n"2"', "again"]


@pytest.mark.parametrize("damage", ["nonsense\n", "\ufefftime\tutterance_id\n", None])
def test_a_damaged_history_is_an_error_that_says_what_to_do(tmp_path: Path, damage: str | None) -> None:
    append_correction(tmp_path, correction(1, "x"))
    path = tmp_path / CORRECTIONS_FILE
    content = path.read_text("utf-8")
    path.write_text(content.replace("corrected", "deleted") if damage is None else damage, encoding="utf-8")
    with pytest.raises(CorpusError) as caught:
        read_corrections(tmp_path)
    assert "without the corrections" in caught.value.hint


def test_the_last_one_that_was_not_set_aside_counts() -> None:
    listed = [correction(1, "x"), correction(2, "y"), correction(3, "z", kind="set aside")]
    taken = last_taken(listed)
    assert taken is not None
    assert taken.raw_after == "y"
    assert last_taken(listed[2:]) is None


def test_only_a_transcript_that_is_still_the_corrected_one_is_replaced() -> None:
    history = {
        name: [correction(1, "after", name=name)] for name in ("fits", "changed", "corrected in the corpus too", "gone")
    }
    rows = [
        UtteranceRow("fits", "a.wav", raw_text="source"),
        UtteranceRow("changed", "b.wav", raw_text="something else"),
        UtteranceRow("corrected in the corpus too", "c.wav", raw_text="after"),
        UtteranceRow("never corrected", "d.wav", raw_text="source"),
    ]
    applied = apply_corrections(rows, history)
    assert [row.raw_text for row in applied.rows] == ["after", "something else", "after", "source"]
    assert applied.num_applied == 1
    assert [one.utterance_id for one in applied.outdated] == ["changed"]
    assert applied.taken_over == ("corrected in the corpus too",)
    assert applied.missing == ("gone",)
