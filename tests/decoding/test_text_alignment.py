"""Lines of a text are found where they were said, and what is missing on either side is told."""

from string import ascii_lowercase

import numpy as np
import pytest
from beams import random_scores, read, scores_of, spell

from lowres.decoding.beam_search import LogProbs
from lowres.decoding.forced_alignment import align_labels
from lowres.decoding.greedy import BLANK_ID
from lowres.decoding.text_alignment import AlignedText, align_lines, fit_of, shift

LIMIT = 0.03
MANY = "-|" + ascii_lowercase


def align(path: str, *texts: str, sure: float = 0.97) -> AlignedText:
    return align_lines(scores_of(path, sure=sure), [spell(text) for text in texts], said_above=LIMIT)


def places(found: AlignedText) -> list[tuple[int, int] | None]:
    return [(line.spans[0].start_frame, line.spans[-1].end_frame) if line.is_said else None for line in found.lines]


def random_line(chance: np.random.Generator, length: int) -> tuple[int, ...]:
    return tuple(chance.integers(2, len(MANY), length).tolist())


def say(lines: list[tuple[int, ...]]) -> tuple[LogProbs, list[tuple[int, int]]]:
    """Scores of lines that are said one after the other, two frames a label, and from where to where."""
    frames, spans = [], []
    for line in lines:
        frames += [BLANK_ID] * 3
        start = len(frames)
        for label in line:
            frames += [label, BLANK_ID]
        spans.append((start, len(frames) - 1))
    return scores_of("".join(MANY[label] for label in frames) + "---", sure=0.97, labels=MANY), spans


def test_a_text_as_it_was_said_is_found_line_by_line() -> None:
    found = align("--aab-c---bb-ab--", "abc", "bab")
    assert places(found) == [(2, 7), (10, 15)]
    assert found.besides == ()
    assert [line.fit for line in found.lines] == pytest.approx([1.0, 1.0])
    assert all(line.number == number for number, line in enumerate(found.lines))


def test_what_the_recogniser_hears_greedily_fits_wholly() -> None:
    for seed in range(5):
        scores = random_scores(30, seed=seed)
        path = scores.argmax(axis=1)
        changes = [label for before, label in zip([-1, *path.tolist()], path.tolist(), strict=False) if label != before]
        heard = tuple(label for label in changes if label != BLANK_ID)
        spans = align_labels(scores, heard)
        assert spans is not None
        assert fit_of(scores, spans) == pytest.approx(1.0)


@pytest.mark.parametrize("num_silent", [2, 10, 200])
def test_a_line_after_a_silence_begins_behind_it_though_the_frames_of_silence_are_all_alike(num_silent: int) -> None:
    found = align("-" * num_silent + "abc" + "-" * num_silent + "cab", "abc", "cab")
    assert places(found) == [(num_silent, num_silent + 3), (2 * num_silent + 3, 2 * num_silent + 6)]


def test_the_fit_is_the_mean_distance_of_the_labels_from_the_likeliest() -> None:
    scores = np.log(np.array([[0.5, 0.0001, 0.4, 0.0999], [0.2, 0.0001, 0.7, 0.0999]], dtype=np.float32))
    spans = align_labels(scores[:1], (2,))
    assert spans is not None
    assert fit_of(scores, spans) == pytest.approx(0.8)
    assert fit_of(scores, []) == 0.0


def test_a_line_that_was_not_said_is_told_and_the_others_are_where_they_were() -> None:
    chance = np.random.default_rng(0)
    lines = [random_line(chance, 8) for _ in range(6)]
    scores, spans = say([lines[0], lines[1], lines[3], lines[4], lines[5]])
    found = align_lines(scores, lines, said_above=LIMIT)
    assert places(found) == [spans[0], spans[1], None, *spans[2:]]
    assert (found.lines[2].spans, found.lines[2].is_said) == ((), False)


def test_speech_between_the_lines_is_found_without_the_silence_around_it() -> None:
    found = align("--abc-----bbacacb----cab--", "abc", "cab")
    assert places(found) == [(2, 5), (21, 24)]
    assert found.besides == ((10, 17),)


def test_less_than_a_syllable_between_the_lines_is_no_speech() -> None:
    assert align("--abc----b-a---cab--", "abc", "cab").besides == ()


def test_speech_before_and_behind_the_text_is_found() -> None:
    found = align("acacac----abcabc----bcbcbcb", "abcabc")
    assert places(found) == [(10, 16)]
    assert found.besides == ((0, 6), (20, 27))


def test_of_a_text_of_another_recording_nothing_was_said() -> None:
    scores = scores_of("-aa-|-aaa-|-aa-|-a-a-" * 4, sure=0.99)
    found = align_lines(scores, [spell(text) for text in ("bcbcb", "ccbbcc", "bccb cb")], said_above=LIMIT)
    assert places(found) == [None, None, None]
    assert len(found.besides) == 1


def test_lines_without_labels_and_no_lines_at_all_are_no_problem() -> None:
    found = align("--abc--", "", "abc", "")
    assert places(found) == [None, (2, 5), None]
    assert align("--abcab--").besides == ((2, 7),)
    nothing = align_lines(np.zeros((0, 5), dtype=np.float32), [spell("ab"), ()], said_above=LIMIT)
    assert (places(nothing), nothing.besides) == ([None, None], ())


def test_of_more_lines_than_there_are_frames_for_those_that_were_said_stay() -> None:
    chance = np.random.default_rng(3)
    said = random_line(chance, 9)
    others = [random_line(chance, 12) for _ in range(5)]
    scores, spans = say([said])
    for place in range(6):
        found = align_lines(scores, [*others[:place], said, *others[place:]], said_above=LIMIT)
        assert [one for one in places(found) if one is not None] == spans
        assert found.lines[place].is_said


@pytest.mark.parametrize("num_frames", range(1, 9))
def test_however_few_frames_there_are_every_line_is_said_or_not_and_in_order(num_frames: int) -> None:
    lines = [spell("ab"), spell("aab"), spell("cab"), spell("a")]
    found = align_lines(random_scores(num_frames, seed=num_frames), lines, said_above=0.0001)
    assert [line.number for line in found.lines] == [0, 1, 2, 3]
    reached = 0
    for line in found.lines:
        assert line.is_said == bool(line.spans)
        if line.is_said:
            assert tuple(span.token_id for span in line.spans) == lines[line.number]
            assert reached <= line.spans[0].start_frame < line.spans[-1].end_frame <= num_frames
            reached = line.spans[-1].end_frame


def test_lines_beside_one_that_was_not_said_get_a_second_chance() -> None:
    chance = np.random.default_rng(7)
    said = [random_line(chance, 10) for _ in range(12)]
    wrong = [random_line(chance, 18) for _ in range(4)]
    scores, spans = say(said)
    lines = [*said[:3], wrong[0], *said[3:6], wrong[1], wrong[2], *said[6:9], wrong[3], *said[9:]]
    found = align_lines(scores, lines, said_above=LIMIT)
    true = dict(zip(said, spans, strict=True))
    for line, place in zip(lines, places(found), strict=True):
        assert place == true.get(line)


def test_a_part_moves_to_its_place_in_the_whole() -> None:
    found = align("--abc-----bbacacb--", "abc", "cc")
    moved = shift(found, 100, 7)
    assert [line.number for line in moved.lines] == [7, 8]
    assert moved.lines[0].spans[0].start_frame == found.lines[0].spans[0].start_frame + 100
    assert moved.besides == tuple((start + 100, end + 100) for start, end in found.besides)
    assert read([span.token_id for span in moved.lines[0].spans]) == "abc"
