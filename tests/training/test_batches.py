from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.training.batches import BatchSizes, StreamPosition, UpdatePlan, plan_epoch, plan_updates

SIZES = BatchSizes(samples_per_update=1000, micro_batch_samples=400)
LENGTHS = np.random.Generator(np.random.PCG64(3)).integers(20, 200, size=60)
BEGINNING = StreamPosition()


def updates(start: StreamPosition = BEGINNING, seed: int = 1) -> list[UpdatePlan]:
    return list(islice(plan_updates(LENGTHS, SIZES, seed=seed, start=start), 40))


@given(st.lists(st.integers(1, 300), min_size=1, max_size=50), st.integers(0, 3), st.integers(1, 500))
def test_every_utterance_is_in_exactly_one_micro_batch_that_fits(lengths: list[int], epoch: int, limit: int) -> None:
    sizes = BatchSizes(samples_per_update=10**6, micro_batch_samples=limit)
    batches = plan_epoch(np.array(lengths), sizes, seed=5, epoch=epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = max(lengths[index] for index in batch) * len(batch)
        assert padded <= limit or len(batch) == 1


def test_the_longest_utterance_comes_first_in_a_run() -> None:
    assert int(np.argmax(LENGTHS)) in plan_epoch(LENGTHS, SIZES, seed=1, epoch=0)[0]


def test_the_order_is_decided_by_seed_and_epoch_alone() -> None:
    assert plan_epoch(LENGTHS, SIZES, seed=1, epoch=2) == plan_epoch(LENGTHS, SIZES, seed=1, epoch=2)
    assert plan_epoch(LENGTHS, SIZES, seed=1, epoch=2) != plan_epoch(LENGTHS, SIZES, seed=1, epoch=3)
    assert plan_epoch(LENGTHS, SIZES, seed=1, epoch=2) != plan_epoch(LENGTHS, SIZES, seed=2, epoch=2)


def test_the_stream_goes_on_from_any_place_as_if_never_left() -> None:
    whole = updates()
    for place in (0, 3, 11, 20):
        assert updates(whole[place].next_position)[:10] == whole[place + 1 : place + 11]


def test_utterances_of_a_micro_batch_are_of_like_length() -> None:
    batches = [batch for batch in plan_epoch(LENGTHS, SIZES, seed=1, epoch=1) if len(batch) > 1]
    padded = sum(max(LENGTHS[list(batch)]) * len(batch) for batch in batches)
    assert padded < 1.2 * sum(LENGTHS[list(batch)].sum() for batch in batches)


def test_an_update_takes_as_many_micro_batches_as_come_nearest_to_its_seconds() -> None:
    sizes = [sum(int(LENGTHS[list(batch)].sum()) for batch in update.micro_batches) for update in updates()]
    assert 850 < np.mean(sizes) < 1150


def test_an_update_larger_than_the_corpus_takes_several_epochs() -> None:
    sizes = BatchSizes(samples_per_update=3 * int(LENGTHS.sum()), micro_batch_samples=400)
    first = next(plan_updates(LENGTHS, sizes, seed=1, start=StreamPosition()))
    assert first.next_position.epoch in (2, 3)
    assert sum(len(batch) for batch in first.micro_batches) > 2 * len(LENGTHS)


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="no utterances"):
        next(plan_updates([], SIZES, seed=1, start=StreamPosition()))
