"""Takes utterances out of a prepared corpus for a page to play: the beginning of each, small enough for one file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.report.clips import MOST_CLIP_SECONDS
from lowres.report.recordings import embed_recordings

CLIP_BUDGET_BYTES: Final = 5_000_000
MOST_CLIPS: Final = 100
MOST_CLIP_SAMPLES: Final = int(MOST_CLIP_SECONDS * SAMPLE_RATE)


def embed_clips(corpus_folder: Path, table: pd.DataFrame, wanted: Iterable[str]) -> dict[str, str]:
    """Encode utterances of a prepared corpus, the most wanted first, until there are enough of them.

    Args:
        corpus_folder: holds the shards. table: its manifest.
        wanted: utterance ids; one that is not in the manifest, or has no audio, is passed over.

    Returns:
        Data addresses by utterance id.

    Raises:
        AudioError: a shard is missing or too short.
    """
    ids = list(dict.fromkeys(wanted))
    places = pd.Index(table["utterance_id"]).get_indexer(pd.Index(ids))
    rows = table[["utterance_id", "shard", "offset_samples", "num_samples"]].iloc[places[places >= 0]]
    heard = list(rows[rows["num_samples"] > 0].itertuples(index=False, name=None))[:MOST_CLIPS]
    reader = ShardReader(corpus_folder)

    def read(number: int) -> npt.NDArray[np.int16]:
        _, shard, offset, length = heard[number]
        return np.asarray(reader.read(shard, offset, min(length, MOST_CLIP_SAMPLES)))

    embedded = embed_recordings(range(len(heard)), read, SAMPLE_RATE, budget_bytes=CLIP_BUDGET_BYTES)
    return {heard[number][0]: address for number, address in embedded.items()}
