from collections import Counter

import numpy as np
import pytest

from lowres.training.augmentation import Augmentation
from lowres.training.batches import StreamPosition, UpdatePlan
from lowres.training.feed import TrainingSpeech, load_update
from lowres.training.settings import FinetuneSettings

SAMPLES = (np.sin(np.arange(8_000) / 5) * 8_000).astype(np.int16)


def test_the_same_place_in_a_run_sounds_the_same_and_another_pass_does_not() -> None:
    augmentation = Augmentation(seed=1, speed_change=0.1, lowest_snr_db=5.0)
    here, again = (augmentation.alter(3, SAMPLES, (2, 7, 0)) for _ in range(2))
    np.testing.assert_array_equal(here, again)
    others = [augmentation.alter(3, SAMPLES, (2 + later, 7, 1 + later)) for later in range(6)]
    assert not any(len(other) == len(here) and np.array_equal(other, here) for other in others)


def test_the_three_speeds_are_as_frequent() -> None:
    augmentation = Augmentation(seed=1, speed_change=0.1)
    lengths = Counter(len(augmentation.alter(index, SAMPLES, (0, 0, 0))) for index in range(300))
    assert len(lengths) == 3
    assert min(lengths.values()) > 70


def test_half_of_the_utterances_are_noisy() -> None:
    augmentation = Augmentation(seed=1, lowest_snr_db=5.0)
    noisy = sum(not np.array_equal(augmentation.alter(index, SAMPLES, (0, 0, 0)), SAMPLES) for index in range(300))
    assert 120 < noisy < 180


def test_an_utterance_is_not_made_too_short_for_its_transcript() -> None:
    augmentation = Augmentation(seed=1, speed_change=0.1)
    lengths = {len(augmentation.alter(index, SAMPLES, (0, 0, 0), fewest_samples=7_900)) for index in range(60)}
    assert min(lengths) == 8_000
    assert max(lengths) > 8_800


def test_batches_hold_the_altered_lengths() -> None:
    speech = TrainingSpeech(np.full(6, 8_000), [[1]] * 6, lambda _index: SAMPLES, np.full(6, 400))
    plan = UpdatePlan(((0, 1, 2), (3, 4, 5)), StreamPosition(0, 2))
    update = load_update(speech, plan, augmentation=Augmentation(seed=1, speed_change=0.1))
    lengths = [int(length) for batch in update.batches for length in batch.num_samples]
    assert len(set(lengths)) > 1
    assert update.total_samples == sum(lengths)
    for batch in update.batches:
        assert batch.waveforms.shape == (3, int(batch.num_samples.max()))
        assert float(batch.waveforms.abs().max()) < 0.5


def test_latents_that_are_kept_contradict_waveforms_that_change() -> None:
    with pytest.raises(ValueError, match="the latents differ in every pass"):
        FinetuneSettings(speed_change=0.1, cache_latents="on")
