import threading
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from lowres.training.batches import StreamPosition, UpdatePlan
from lowres.training.feed import Feed, TrainingSpeech, load_batch, load_update

AUDIO = [np.full(length, 16384 * (number % 2), dtype=np.int16) for number, length in enumerate((5, 3, 4))]
SPEECH = TrainingSpeech(
    num_samples=np.array([5, 3, 4]), token_ids=[[1, 2], [3], [4, 5, 6]], read_samples=lambda index: AUDIO[index]
)
PLANS = [UpdatePlan(((0, 1), (2,)), StreamPosition(0, 2)), UpdatePlan(((1,),), StreamPosition(1, 0))]


def test_a_batch_holds_the_samples_as_fractions_of_full_scale_and_zeros_behind_them() -> None:
    batch = load_batch(SPEECH, [2, 1])
    assert batch.waveforms.tolist() == [[0.0] * 4, [0.5] * 3 + [0.0]]
    assert batch.num_samples.tolist() == [4, 3]
    assert batch.token_ids.tolist() == [[4, 5, 6], [3, 0, 0]]
    assert batch.num_tokens.tolist() == [3, 1]
    assert batch.indices == (2, 1)


def test_updates_come_in_their_order_with_what_they_hold() -> None:
    with Feed(partial(load_update, SPEECH), iter(PLANS)) as feed:
        first, second = feed.next_update(), feed.next_update()
    assert [batch.indices for batch in first.batches] == [(0, 1), (2,)]
    assert (first.total_tokens, first.total_samples, first.next_position) == (6, 12, StreamPosition(0, 2))
    assert second.next_position == StreamPosition(1, 0)


def test_what_reading_raises_reaches_whoever_trains() -> None:
    def read_samples(index: int) -> NDArray[np.int16]:
        raise OSError("the disk is gone")

    broken = TrainingSpeech(SPEECH.num_samples, SPEECH.token_ids, read_samples)
    with Feed(partial(load_update, broken), iter(PLANS)) as feed, pytest.raises(OSError, match="the disk is gone"):
        feed.next_update()


def test_leaving_early_ends_the_reading_thread() -> None:
    with Feed(partial(load_update, SPEECH), iter(PLANS * 1000)) as feed:
        feed.next_update()
    assert not any(thread.name == "lowres-feed" for thread in threading.enumerate())


def test_waiting_for_audio_is_measured() -> None:
    gate = threading.Event()

    def read_samples(index: int) -> NDArray[np.int16]:
        gate.wait()
        return AUDIO[index]

    slow = TrainingSpeech(SPEECH.num_samples, SPEECH.token_ids, read_samples)
    with Feed(partial(load_update, slow), iter(PLANS)) as feed:
        threading.Timer(0.5, gate.set).start()  # on a busy machine the next line comes late
        feed.next_update()
        assert feed.waited_seconds >= 0.04
