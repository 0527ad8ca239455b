"""Long recordings are cut where text and recording agree, and nowhere else."""

from itertools import groupby, pairwise

import numpy as np
import pytest

from lowres.decoding import anchors
from lowres.decoding.anchors import Part, cut_into_parts
from lowres.decoding.beam_search import LogProbs
from lowres.errors import LowresError

NUM_LABELS = 30
Lines = list[tuple[int, ...]]


def make_text(num_lines: int, length: int, seed: int = 0) -> Lines:
    chance = np.random.default_rng(seed)
    return [
        tuple(chance.integers(1, NUM_LABELS, chance.integers(length // 2, 2 * length)).tolist())
        for _ in range(num_lines)
    ]


def say(lines: Lines, wrong: float, seed: int = 1) -> tuple[LogProbs, list[int]]:
    """Scores of what is said with a share of labels heard otherwise; and the frame at which each line ends."""
    chance = np.random.default_rng(seed)
    frames: list[int] = []
    ends = []
    for line in lines:
        for label in line:
            draw = chance.random()
            heard = int(chance.integers(1, NUM_LABELS)) if draw < wrong / 2 else label
            frames += [heard, 0] if draw < 3 * wrong / 4 else [] if draw < wrong else [heard, heard, 0]
        ends.append(len(frames))
        frames += [0] * int(chance.integers(2, 10))
    scores = np.full((len(frames), NUM_LABELS), -8.0, dtype=np.float32)
    scores[np.arange(len(frames)), frames] = -0.05
    return scores, ends


def demand_cover(parts: list[Part], num_frames: int, num_lines: int) -> None:
    assert (parts[0].start_frame, parts[0].first_line) == (0, 0)
    assert (parts[-1].end_frame, parts[-1].end_line) == (num_frames, num_lines)
    for before, after in pairwise(parts):
        assert (before.end_frame, before.end_line) == (after.start_frame, after.first_line)
        assert before.start_frame <= before.end_frame
        assert before.first_line < before.end_line


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.4])
def test_cuts_through_ten_thousand_labels_lie_between_the_lines(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_MOST_CELLS", 2_000_000)
    lines = make_text(250, 32)
    assert sum(map(len, lines)) > 9_000
    scores, ends = say(lines, wrong)
    parts = cut_into_parts(scores, lines)
    demand_cover(parts, len(scores), len(lines))
    assert len(parts) > 15
    for part in parts[1:]:
        # Behind the line before, and not far behind: the next one's first labels may not have been heard.
        assert ends[part.first_line - 1] - 6 <= part.start_frame <= ends[part.first_line - 1] + 16


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_said_parts_cover_all_frames_and_lines_in_order(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchors, "_MOST_CELLS", 20_000)
    chance = np.random.default_rng(seed)
    lines = make_text(40, 10, seed)
    said = [line for line in lines if chance.random() < 0.6] + make_text(5, 10, seed + 100)
    scores, _ = say(said, 0.1, seed)
    demand_cover(cut_into_parts(scores, lines), len(scores), len(lines))


def test_what_is_short_stays_whole() -> None:
    lines = make_text(5, 10)
    scores, _ = say(lines, 0.0)
    assert cut_into_parts(scores, lines) == [Part(0, len(scores), 0, 5)]
    assert cut_into_parts(scores[:0], lines) == [Part(0, 0, 0, 5)]


def test_a_text_of_another_long_recording_is_refused_with_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_MOST_CELLS", 20_000)
    monkeypatch.setattr(anchors, "_TOO_MANY_CELLS", 100_000)
    scores, _ = say(make_text(60, 10, 1), 0.0)
    with pytest.raises(LowresError, match="Lines 1 to 60 of the text agree nowhere") as caught:
        cut_into_parts(scores, make_text(60, 10, 2))
    assert "Is it the text of this recording?" in caught.value.hint


def test_a_stretch_that_nobody_wrote_down_does_not_move_the_cuts_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_MOST_CELLS", 500_000)
    lines, aside = make_text(100, 30), make_text(10, 30, seed=9)
    scores, ends = say([*lines[:50], *aside, *lines[50:]], 0.1)
    parts = cut_into_parts(scores, lines)
    demand_cover(parts, len(scores), 100)
    behind = [part for part in parts if part.first_line > 51]
    assert behind
    for part in behind:
        assert abs(part.start_frame - ends[part.first_line + 9]) < 20


def test_lines_that_are_said_twice_do_not_make_the_cuts_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "_MOST_CELLS", 50_000)
    lines = [line for line in make_text(20, 12) for _ in range(2)]
    scores, _ = say(lines, 0.1)
    parts = cut_into_parts(scores, lines)
    demand_cover(parts, len(scores), 40)
    assert [number for number, _ in groupby(part.start_frame for part in parts)] == sorted(
        part.start_frame for part in parts
    )
