"""Stretches hold all the speech, once, in pieces short enough, and do not depend on how the recording came."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowres.audio.stretch_plan import StretchSettings
from lowres.audio.stretches import Stretch, find_stretches
from lowres.audio.voice_activity import HOP_SAMPLES, EnergyDetector
from lowres.errors import LowresError

RATE = 16_000
HOP_SECONDS = HOP_SAMPLES / RATE


class Told:
    """A detector that is told where speech is, and answers some hops late."""

    def __init__(self, speech: np.ndarray, late: int = 0) -> None:
        self._speech, self._late = speech.astype(np.float32), late
        self.reset()

    def reset(self) -> None:
        self._fed = self._told = 0

    def feed(self, block: np.ndarray) -> np.ndarray:
        self._fed += block.size
        return self._tell(max(self._told, self._fed // HOP_SAMPLES - self._late))

    def finish(self) -> np.ndarray:
        return self._tell(-(-self._fed // HOP_SAMPLES))

    def _tell(self, until: int) -> np.ndarray:
        told, self._told = self._speech[self._told : until], until
        return told


def sound(num_samples: int, quiet: tuple[float, ...] = ()) -> np.ndarray:
    """Return noise, a tenth as loud in the 150 ms around each of `quiet` (seconds); no two samples are likely equal."""
    samples = np.random.Generator(np.random.PCG64(3)).standard_normal(num_samples).astype(np.float32)
    for place in quiet:
        samples[round((place - 0.075) * RATE) : round((place + 0.075) * RATE)] *= 0.1
    return samples


def hops(num_seconds: float, *spans: tuple[float, float]) -> np.ndarray:
    """Return which hops of a recording are speech, by spans in seconds."""
    speech = np.zeros(-(-round(num_seconds * RATE) // HOP_SAMPLES), dtype=bool)
    for start, end in spans:
        speech[round(start / HOP_SECONDS) : round(end / HOP_SECONDS)] = True
    return speech


def kept_seconds(stretches: list[Stretch]) -> list[tuple[float, float]]:
    return [(one.kept_start_samples / RATE, one.kept_end_samples / RATE) for one in stretches]


def told(num_seconds: float, *spans: tuple[float, float], **options: float) -> list[Stretch]:
    waveform = sound(round(num_seconds * RATE))
    return list(find_stretches([waveform], Told(hops(num_seconds, *spans)), StretchSettings(**options)))  # type: ignore[arg-type]


def test_speech_is_handed_on_with_padding() -> None:
    (one,) = told(10, (3.2, 4.8))
    assert kept_seconds([one]) == [(pytest.approx(3.0), pytest.approx(5.0))]
    assert np.array_equal(one.samples, sound(10 * RATE)[one.start_samples : one.kept_end_samples])
    assert (one.overlap_before_samples, one.overlap_after_samples, one.continues) == (0, 0, False)


def test_padding_ends_where_the_recording_does() -> None:
    assert kept_seconds(told(4, (0, 1.6), (3.2, 4))) == [
        (0, pytest.approx(1.8, abs=HOP_SECONDS)),
        (pytest.approx(3.0), 4.0),
    ]


def test_speech_closer_than_the_shortest_pause_is_one_stretch() -> None:
    assert len(told(10, (3.2, 4.8), (5.28, 6.4))) == 1
    assert len(told(10, (3.2, 4.8), (5.312, 6.4))) == 2
    assert len(told(10, (3.2, 4.8), (5.28, 6.4), shortest_pause_seconds=0.4)) == 2


def test_stretches_whose_padding_would_touch_are_one() -> None:
    assert len(told(10, (3.2, 4.8), (5.44, 6.4), pad_seconds=0.4)) == 1


def test_short_bursts_are_dropped_unless_together_they_are_long_enough() -> None:
    assert told(10, (3.2, 3.296)) == []
    assert len(told(10, (3.2, 3.328))) == 1
    assert len(told(10, (3.2, 3.264), (3.52, 3.584))) == 1


def test_no_speech_and_no_recording_give_no_stretches() -> None:
    assert told(10) == []
    assert list(find_stretches([], Told(hops(0)))) == []
    assert list(find_stretches([], None)) == []


def test_a_long_stretch_is_cut_in_the_middle_of_its_longest_pause_without_overlap() -> None:
    first, second = told(45, (3.2, 20.8), (21.12, 26.56), (26.72, 40.0))
    assert kept_seconds([first])[0][1] == pytest.approx(20.96, abs=0.001)
    assert (first.overlap_after_samples, second.overlap_before_samples) == (0, 0)
    assert (first.continues, second.continues) == (False, True)
    assert second.kept_start_samples == first.kept_end_samples


def test_without_a_pause_the_cut_is_at_the_quietest_place_and_both_sides_hear_beyond_it() -> None:
    waveform = sound(45 * RATE, quiet=(9.0, 21.3))
    first, second = find_stretches([waveform], Told(hops(45, (3.2, 40.0))))
    assert first.kept_end_samples / RATE == pytest.approx(21.3, abs=0.05)
    assert (first.overlap_after_samples, second.overlap_before_samples) == (24_000, 24_000)
    assert second.start_samples == first.kept_end_samples - 24_000
    assert second.continues


def test_what_is_heard_beyond_a_cut_ends_where_the_recording_does() -> None:
    waveform = sound(31 * RATE, quiet=(29.8,))
    first, second = find_stretches([waveform], None)
    assert first.kept_end_samples + first.overlap_after_samples == 31 * RATE
    assert second.start_samples + second.samples.size == 31 * RATE


def test_without_a_detector_the_whole_recording_is_handed_on() -> None:
    waveform = sound(100 * RATE + 7)
    stretches = list(find_stretches([waveform], None))
    assert [one.continues for one in stretches] == [False] + [True] * (len(stretches) - 1)
    assert np.array_equal(joined(stretches), waveform)
    assert [one.samples.size for one in find_stretches([waveform[:5]], None)] == [5]


def joined(stretches: list[Stretch]) -> np.ndarray:
    """Return the kept parts, one after the other."""
    return np.concatenate(
        [one.samples[one.overlap_before_samples : len(one.samples) - one.overlap_after_samples] for one in stretches]
    )


RUNS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40)), min_size=1, max_size=12)
SETTINGS = st.builds(
    StretchSettings,
    pad_seconds=st.sampled_from([0.0, 0.05, 0.2, 0.5]),
    shortest_pause_seconds=st.sampled_from([0.0, 0.1, 0.5]),
    shortest_speech_seconds=st.sampled_from([0.0, 0.1, 1.0]),
    longest_seconds=st.sampled_from([2.0, 2.5, 7.3]),
    overlap_seconds=st.sampled_from([0.0, 0.3, 0.5]),
    align_samples=st.sampled_from([1, 320, 640, 1600]),
)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw a waveform and which of its hops are speech; None for no detector."""
    speech = np.concatenate([np.repeat([True, False], run) for run in draw(RUNS)])
    num_samples = max(0, len(speech) * HOP_SAMPLES - draw(st.integers(0, HOP_SAMPLES - 1)))
    waveform = sound(num_samples)
    waveform[: draw(st.integers(0, num_samples))] *= draw(st.sampled_from([0.0, 1.0]))
    return waveform, None if draw(st.booleans()) and draw(st.booleans()) else speech


def cut(waveform: np.ndarray, lengths: list[int]) -> Iterator[np.ndarray]:
    """Yield blocks of the lengths given, over and over."""
    position, turn = 0, 0
    while position < waveform.size:
        yield waveform[position : position + lengths[turn % len(lengths)]]
        position, turn = position + lengths[turn % len(lengths)], turn + 1


@given(recordings(), SETTINGS)
@settings(max_examples=100, deadline=None)
def test_pieces_hold_all_speech_once_and_are_no_longer_than_allowed(
    recording: tuple[np.ndarray, np.ndarray | None], chosen: StretchSettings
) -> None:
    waveform, speech = recording
    detector = None if speech is None else Told(speech)
    stretches = list(find_stretches([waveform], detector, chosen))
    longest, kept = chosen.longest_seconds * RATE, np.zeros(waveform.size, dtype=int)
    before: Stretch | None = None
    for one in stretches:
        end = one.start_samples + one.samples.size
        assert 0 <= one.start_samples <= one.kept_start_samples < one.kept_end_samples <= end <= waveform.size
        assert one.kept_end_samples - one.kept_start_samples <= longest
        assert max(one.overlap_before_samples, one.overlap_after_samples) <= chosen.overlap_seconds * RATE + 1600
        assert np.array_equal(one.samples, waveform[one.start_samples : end])
        assert one.continues == (before is not None and before.kept_end_samples == one.kept_start_samples)
        assert one.continues or one.overlap_before_samples == 0
        assert before is None or before.kept_end_samples <= one.kept_start_samples
        kept[one.kept_start_samples : one.kept_end_samples] += 1
        before = one
    assert kept.max(initial=0) <= 1
    marked = np.ones(waveform.size, bool) if speech is None else np.repeat(speech, HOP_SAMPLES)[: waveform.size]
    lost = marked & (kept == 0)
    if chosen.shortest_speech_seconds == 0 or speech is None:
        assert not lost.any()
    else:
        assert longest_run(lost) < chosen.shortest_speech_seconds * RATE


def longest_run(flags: np.ndarray) -> int:
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((changes[1::2] - changes[::2]).max(initial=0))


@given(recordings(), SETTINGS)
@settings(max_examples=40, deadline=None)
def test_frames_of_pieces_join_at_multiples_of_the_alignment(
    recording: tuple[np.ndarray, np.ndarray | None], chosen: StretchSettings
) -> None:
    waveform, speech = recording
    stretches = list(find_stretches([waveform], None if speech is None else Told(speech), chosen))
    for one, following in pairwise(stretches):
        if following.continues:
            assert following.overlap_before_samples % chosen.align_samples == 0
            assert (one.kept_end_samples - one.kept_start_samples) % chosen.align_samples == 0
            assert one.overlap_after_samples <= following.overlap_before_samples


@given(
    recordings(),
    SETTINGS,
    st.lists(st.integers(300, 3 * 64 * HOP_SAMPLES), min_size=1, max_size=5),
    st.integers(0, 200),
)
@settings(max_examples=40, deadline=None)
def test_neither_the_blocks_nor_how_late_the_detector_answers_change_a_stretch(
    recording: tuple[np.ndarray, np.ndarray | None], chosen: StretchSettings, lengths: list[int], late: int
) -> None:
    waveform, speech = recording
    expected = list(find_stretches([waveform], None if speech is None else Told(speech), chosen))
    blocks = cut(waveform, [max(lengths), *lengths])
    found = list(find_stretches(blocks, None if speech is None else Told(speech, late), chosen))
    assert [described(one) for one in found] == [described(one) for one in expected]


def described(one: Stretch) -> tuple[int, bytes, int, int, bool]:
    overlaps = one.overlap_before_samples, one.overlap_after_samples
    return one.start_samples, one.samples.tobytes(), *overlaps, one.continues


def test_a_detector_is_reset_before_a_recording() -> None:
    detector = EnergyDetector()
    waveform = sound(20 * RATE) * np.repeat(hops(20, (3, 6), (10, 14)), HOP_SAMPLES)[: 20 * RATE]
    expected = kept_seconds(list(find_stretches([waveform], detector)))
    next(find_stretches([waveform[:160_000], waveform], detector))  # abandoned half-way
    assert kept_seconds(list(find_stretches([waveform], detector))) == expected
    assert len(expected) == 2


def test_what_was_found_before_a_recording_turns_out_damaged_is_handed_on() -> None:
    def damaged() -> Iterator[np.ndarray]:
        yield sound(60 * RATE)
        raise LowresError("damaged")

    stretches = find_stretches(damaged(), Told(hops(60, (3, 6), (10, 14))))
    assert [next(stretches).start_samples, next(stretches).start_samples] == [44_928, 156_544]
    with pytest.raises(LowresError, match="damaged"):
        next(stretches)


def test_memory_does_not_grow_with_the_recording() -> None:
    second = sound(RATE)
    blocks = (second.copy() for _ in range(20 * 60))  # 77 MB
    tracemalloc.start()
    try:
        for _ in find_stretches(blocks, None):
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 30 * 1024**2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"longest_seconds": 0.5}, "at least 1 s"),
        ({"longest_seconds": float("nan")}, "at least 1 s"),
        ({"longest_seconds": float("inf")}, "at least 1 s"),
        ({"pad_seconds": -0.1}, "pad_seconds = -0.1 does not go with longest_seconds = 30"),
        ({"longest_seconds": 4.0}, "overlap_seconds = 1.5 does not go with longest_seconds = 4"),
        ({"shortest_pause_seconds": 8.0}, "shortest_pause_seconds"),
        ({"shortest_speech_seconds": -1.0}, "shortest_speech_seconds"),
        ({"align_samples": 0}, "from 1 to 1600"),
        ({"align_samples": 1601}, "from 1 to 1600"),
        ({"threshold": 1.0}, "between 0 and 1"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(options: dict[str, float], said: str) -> None:
    with pytest.raises(LowresError, match=said):
        StretchSettings(**options)  # type: ignore[arg-type]
