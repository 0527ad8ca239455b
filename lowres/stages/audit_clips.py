"""audit: recordings of example words for its page, from the prepared corpus or, before there is one, from the files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.decode import open_recording
from lowres.audio.shards import to_int16
from lowres.errors import AudioError
from lowres.manifest.schema import UtteranceRow
from lowres.report.recordings import embed_recordings
from lowres.stages.embed_clips import CLIP_BUDGET_BYTES, MOST_CLIP_SAMPLES, MOST_CLIPS

_MOST_DECODED_SECONDS: Final = 1800.0
"""What finding examples in long recordings may cost; 30 minutes decode in a few seconds."""


def embed_from_files(folder: Path, rows: Mapping[str, UtteranceRow], wanted: Sequence[str]) -> dict[str, str]:
    """Encode utterances of recordings that were not prepared yet, the most wanted first.

    Args:
        folder: the corpus folder. rows: of the reader, by utterance id. wanted: utterance ids.

    Returns:
        Data addresses by utterance id; what cannot be read is left out, which is for `lowres prepare` to say.
    """
    clips: list[tuple[str, npt.NDArray[np.int16]]] = []
    decoded = 0.0
    for row in (rows[name] for name in dict.fromkeys(wanted) if name in rows):
        reach = row.start_seconds + MOST_CLIP_SAMPLES / SAMPLE_RATE
        if len(clips) == MOST_CLIPS:
            break
        if decoded + reach > _MOST_DECODED_SECONDS:
            continue
        decoded += reach
        samples = _cut(folder, row)
        if samples.size:
            clips.append((row.utterance_id, samples))
    embedded = embed_recordings(
        range(len(clips)), lambda number: clips[number][1], SAMPLE_RATE, budget_bytes=CLIP_BUDGET_BYTES
    )
    return {clips[number][0]: address for number, address in embedded.items()}


def _cut(folder: Path, row: UtteranceRow) -> npt.NDArray[np.int16]:
    """Return the beginning of one utterance; nothing where its recording cannot be read."""
    start = int(row.start_seconds * SAMPLE_RATE)
    length = MOST_CLIP_SAMPLES
    if row.end_seconds is not None:
        length = min(length, int(row.end_seconds * SAMPLE_RATE) - start)
    blocks, seen = [], 0
    try:
        stream = open_recording(folder / row.audio_path, channel=row.channel)
        for block in stream.blocks:
            blocks.append(block[max(start - seen, 0) : max(start + length - seen, 0)])
            seen += len(block)
            if seen >= start + length:
                break
    except (AudioError, OSError):
        return np.zeros(0, dtype=np.int16)
    return to_int16(np.concatenate(blocks)) if blocks else np.zeros(0, dtype=np.int16)
