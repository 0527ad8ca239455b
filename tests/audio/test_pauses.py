"""Cutting recordings at their pauses."""

import numpy as np
import pytest

from lowres.audio.pauses import Piece, cut_at_pauses

RATE = 16_000


def speech(seconds: float, pauses: tuple[float, ...] = (), offset: int = 0) -> np.ndarray:
    """Return noise that falls silent for 200 ms around each of `pauses` (seconds)."""
    samples = np.random.Generator(np.random.PCG64(1)).integers(-3000, 3000, round(seconds * RATE))
    for pause in pauses:
        samples[round((pause - 0.1) * RATE) : round((pause + 0.1) * RATE)] = 0
    return (samples + offset).astype(np.int16)


def seconds(pieces: list[Piece]) -> list[tuple[float, float]]:
    return [(piece.start_samples / RATE, piece.end_samples / RATE) for piece in pieces]


def test_a_recording_that_is_short_enough_stays_whole() -> None:
    assert seconds(cut_at_pauses(speech(20.0, (10.0,)))) == [(0.0, 20.0)]
    assert seconds(cut_at_pauses(speech(1.0))) == [(0.0, 1.0)]


def test_what_is_too_short_for_one_piece_gives_none() -> None:
    assert cut_at_pauses(speech(0.99)) == []
    assert cut_at_pauses(np.zeros(0, dtype=np.int16)) == []


def test_cuts_fall_into_pauses() -> None:
    cuts = [end for _, end in seconds(cut_at_pauses(speech(50.0, (3.0, 14.2, 17.0, 30.5, 47.0))))]
    assert cuts == [pytest.approx(17.0, abs=0.06), pytest.approx(30.5, abs=0.06), 50.0]


def test_a_pause_in_the_first_half_is_no_place_to_cut() -> None:
    first = cut_at_pauses(speech(25.0, (4.0,)))[0]
    assert first.num_samples >= 10 * RATE


def test_of_equal_pauses_the_last_is_taken() -> None:
    assert cut_at_pauses(speech(30.0, (12.0, 18.0)))[0].end_samples == pytest.approx(18 * RATE, abs=0.06 * RATE)


def test_an_offset_of_the_recorder_hides_no_pause() -> None:
    assert cut_at_pauses(speech(30.0, (15.0,), offset=9000))[0].end_samples == pytest.approx(15 * RATE, abs=0.06 * RATE)


@pytest.mark.parametrize("length", [20.001, 20.5, 21.0, 39.99, 40.5, 61.3])
def test_pieces_are_the_whole_recording_and_of_allowed_length(length: float) -> None:
    samples = speech(length)
    pieces = cut_at_pauses(samples)
    assert np.array_equal(np.concatenate([samples[p.start_samples : p.end_samples] for p in pieces]), samples)
    assert all(RATE <= piece.num_samples <= 20 * RATE for piece in pieces)


def test_digital_silence_is_cut_too() -> None:
    assert all(piece.num_samples <= 20 * RATE for piece in cut_at_pauses(np.zeros(70 * RATE, dtype=np.int16)))


def test_lengths_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(ValueError, match="at most a quarter"):
        cut_at_pauses(speech(3.0), longest_seconds=2.0, shortest_seconds=1.0)
