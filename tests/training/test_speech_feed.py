from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lowres.training.feed import Feed
from lowres.training.mixture import Crop, MixturePosition, MixtureSettings, SpeechSource, plan_mixture
from lowres.training.speech_feed import load_crops, load_speech_update

COUNTING = np.arange(-16384, 16384, 64, dtype=np.int16)  # 512 samples, all different


def read_counting(utterance: int, start: int, count: int) -> NDArray[np.int16]:
    assert start + count <= 512
    return COUNTING[start : start + count]


SOURCES = [
    SpeechSource("yor", "a", np.array([512, 40, 300]), read_counting),
    SpeechSource("mdw", "b", np.array([512, 512]), read_counting),
]
SETTINGS = MixtureSettings(samples_per_update=900, micro_batch_samples=500, crop_samples=200, shortest_samples=10)


def test_a_batch_holds_the_samples_of_its_crops_and_zeros_behind_them() -> None:
    crops = [Crop(0, 0, 256, 3, 0), Crop(1, 1, 260, 2, 0)]
    batch = load_crops(SOURCES, crops)
    assert batch.waveforms.tolist() == [[0.0, 64 / 32768, 128 / 32768], [256 / 32768, 320 / 32768, 0.0]]
    assert batch.num_samples.tolist() == [3, 2]
    assert batch.crops == tuple(crops)


def test_the_processes_read_the_whole_update_between_them_and_count_all_of_it() -> None:
    plan = next(plan_mixture(SOURCES, SETTINGS, start=MixturePosition(), num_processes=2))
    loaded = [load_speech_update(SOURCES, plan, rank=rank, num_processes=2) for rank in range(2)]
    read = [crop for update in loaded for batch in update.batches for crop in batch.crops]
    planned = [crop for batch in plan.micro_batches for crop in batch]
    assert sorted(read, key=repr) == sorted(planned, key=repr)
    assert [len(update.batches) for update in loaded] == [len(plan.micro_batches)] * 2
    drawn = tuple(source.drawn_samples for source in plan.next_position.sources)
    assert [update.samples_per_source for update in loaded] == [drawn, drawn]
    assert loaded[0].total_samples == sum(crop.num_samples for crop in planned)


def test_a_feed_reads_a_mixture_ahead() -> None:
    plans = list(islice(plan_mixture(SOURCES, SETTINGS, start=MixturePosition()), 3))
    with Feed(partial(load_speech_update, SOURCES), iter(plans)) as feed:
        positions = [feed.next_update().next_position for _ in plans]
    assert positions == [plan.next_position for plan in plans]
