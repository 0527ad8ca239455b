"""prepare, step 3: the utterance table, made of the reader's rows and of what decoding found."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.measure import SILENCE_DBFS
from lowres.audio.parts import PartResult, UtteranceAudio
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.recipe import Recipe
from lowres.stages.prepare_decode import Part, shard_name
from lowres.text.normalize import compile_rules


def build_table(
    rows: Sequence[UtteranceRow], parts: Sequence[Part], results: Sequence[PartResult], recipe: Recipe
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Make the manifest table, in the rows' order, and name what could not be read.

    Args:
        rows: of the reader. parts, results: of decoding, in the same order.
        recipe: its text rules and its language are applied.

    Returns:
        The (N, 14) table, and utterance_id to a sentence for recordings and stretches that could not be read.
    """
    table = table_from_rows(rows)
    num_samples = np.zeros(len(rows), dtype=np.int64)
    offsets = np.zeros(len(rows), dtype=np.int64)
    shards = np.full(len(rows), "", dtype=object)
    for position, shard, audio in _utterances(parts, results):
        num_samples[position], offsets[position], shards[position] = audio.num_samples, audio.offset_samples, shard
    normalize = compile_rules(recipe.text.rules)
    table = table.assign(
        num_samples=num_samples,
        duration_seconds=num_samples / SAMPLE_RATE,
        offset_samples=np.where(num_samples > 0, offsets, 0),
        shard=pd.Series(np.where(num_samples > 0, shards, ""), dtype="str"),
        text=pd.Series([normalize(text) for text in table["raw_text"].tolist()], dtype="str"),
        language=table["language"].where(table["language"] != "", recipe.language.iso_639_3),
    )
    return table, _name_unreadable(rows, parts, results)


def describe_measures(parts: Sequence[Part], results: Sequence[PartResult], num_rows: int) -> pd.DataFrame:
    """Return (N, 4) what the checks of the signal look at: loudest_dbfs, clipped_share, bandwidth_hz, audio_hash."""
    loudest = np.full(num_rows, SILENCE_DBFS)
    clipped, bandwidth = np.zeros(num_rows), np.zeros(num_rows)
    hashes = np.full(num_rows, "", dtype=object)
    for position, _, audio in _utterances(parts, results):
        measures = audio.measures
        loudest[position], clipped[position] = measures.loudest_dbfs, measures.clipped_share
        bandwidth[position] = measures.bandwidth_hz
        hashes[position] = audio.sound_hash if audio.num_samples else ""
    return pd.DataFrame(
        {"loudest_dbfs": loudest, "clipped_share": clipped, "bandwidth_hz": bandwidth, "audio_hash": hashes}
    )


def _utterances(parts: Sequence[Part], results: Sequence[PartResult]) -> Iterator[tuple[int, str, UtteranceAudio]]:
    for number, (part, result) in enumerate(zip(parts, results, strict=True)):
        for positions, recording in zip(part.rows, result.recordings, strict=True):
            for position, audio in zip(positions, recording.utterances, strict=False):
                yield position, shard_name(number), audio


def _name_unreadable(
    rows: Sequence[UtteranceRow], parts: Sequence[Part], results: Sequence[PartResult]
) -> dict[str, str]:
    problems: dict[int, str] = {}
    for part, result in zip(parts, results, strict=True):
        for positions, recording in zip(part.rows, result.recordings, strict=True):
            if recording.problem:
                problems.update(dict.fromkeys(positions, recording.problem))
    for position, _, audio in _utterances(parts, results):
        if audio.problem:
            problems[position] = f"{rows[position].audio_path} {audio.problem}"
    return {rows[position].utterance_id: problems[position] for position in sorted(problems)}
