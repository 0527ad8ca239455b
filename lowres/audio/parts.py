"""One part of a corpus: some recordings decoded into one shard, with an index that says what lies where.

This is what a worker process does. It imports no torch, prints nothing, and gives the same bytes whichever process
does it. A finished part is found again by its fingerprint: the recordings' names, sizes and times, the stretches that
were asked for, and the settings that decide what the samples are.
"""

import hashlib
import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any
from uuid import uuid4

from lowres.audio.constants import BYTES_PER_SAMPLE, SAMPLE_RATE
from lowres.audio.decode import FloatArray, open_recording
from lowres.audio.measure import SignalMeasures, measure_signal
from lowres.audio.shards import ShardWriter, to_int16
from lowres.errors import ON_NONSENSE, AudioError

Span = tuple[float, float | None]

# Raise it when decoding, resampling or measuring changes: parts of an older version are then made anew.
PART_VERSION = 3
# A stretch may end this much after its recording does: annotators round.
END_TOLERANCE_SECONDS = 0.5


@dataclass(frozen=True)
class RecordingJob:
    """One recording and the stretches of it that are utterances.

    Attributes:
        path: the file, for the machine. name: the file, for people and for the fingerprint.
        channel: the one to keep, counted from 0; None = the mean of all.
        size_bytes, modified_ns: of the file when the part was planned; 0 and 0 where it is missing.
        spans: (start_seconds, end_seconds) of each utterance, in the manifest's order; None = the recording's end.
    """

    path: Path
    name: str
    channel: int | None
    size_bytes: int
    modified_ns: int
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class UtteranceAudio:
    """Where an utterance lies in its shard and what was measured of it.

    Attributes:
        offset_samples, num_samples: its stretch of the shard.
        measures: of its signal.
        sound_hash: of its samples, by which copies are found under other names (blake2b, 128 bits, hex).
        problem: what is wrong with the stretch that was asked for; "" when nothing is.
    """

    offset_samples: int
    num_samples: int
    measures: SignalMeasures
    sound_hash: str = ""
    problem: str = ""


@dataclass(frozen=True)
class RecordingResult:
    """What became of one recording; where it could not be decoded, `problem` is a sentence and `utterances` empty."""

    name: str
    original_sample_rate: int = 0
    num_channels: int = 0
    utterances: tuple[UtteranceAudio, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class PartResult:
    """A finished part: what its fingerprint is, what the shard hashes to, and its recordings in order."""

    fingerprint: str
    shard_sha256: str
    num_samples: int
    recordings: tuple[RecordingResult, ...]


def fingerprint_part(jobs: Sequence[RecordingJob]) -> str:
    """Return the sha256 of everything that decides what a part's samples are."""
    described = [(job.name, job.channel, job.size_bytes, job.modified_ns, job.spans) for job in jobs]
    return hashlib.sha256(json.dumps([PART_VERSION, SAMPLE_RATE, described]).encode()).hexdigest()


def make_part(shard: Path, jobs: Sequence[RecordingJob]) -> PartResult:
    """Decode recordings into one shard and write its index beside it.

    Args:
        shard: the file to write; `index_path(shard)` is written after it, so that an index vouches for its shard.
        jobs: the recordings, each read once from its first sample to the last that is needed.

    Raises:
        OSError: the disk is full or failing; the part is then not there at all.
    """
    with ShardWriter(shard) as writer:
        recordings = tuple(_add_recording(writer, job) for job in jobs)
        shard_sha256 = writer.finish()
    result = PartResult(fingerprint_part(jobs), shard_sha256, writer.num_samples, recordings)
    temporary = shard.with_name(f".{shard.stem}.json.{uuid4().hex}.partial")
    try:
        temporary.write_text(json.dumps(asdict(result)), encoding="utf-8")
        temporary.replace(index_path(shard))
    finally:
        temporary.unlink(missing_ok=True)
    return result


def leave_interrupts_to_parent() -> None:
    """Start a worker process: Ctrl-C is the parent's to handle, which lets the parts under way be finished.

    It stands here, and not beside the pool, so that a worker imports nothing but what decodes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def index_path(shard: Path) -> Path:
    """Return where the index of a shard lies."""
    return shard.with_suffix(".json")


def read_part(shard: Path) -> PartResult | None:
    """Read a finished part's index; None where it is missing, of another version, or does not fit its shard."""
    try:
        contents = json.loads(index_path(shard).read_text(encoding="utf-8"))
        recordings = tuple(_recording_from_json(one) for one in contents.pop("recordings"))
        result = PartResult(recordings=recordings, **contents)
        whole = shard.stat().st_size == result.num_samples * BYTES_PER_SAMPLE
    except (OSError, *ON_NONSENSE):
        return None
    return result if whole else None


def _recording_from_json(contents: dict[str, Any]) -> RecordingResult:
    utterances = tuple(
        UtteranceAudio(**{**one, "measures": SignalMeasures(**one["measures"])}) for one in contents.pop("utterances")
    )
    return RecordingResult(utterances=utterances, **contents)


def _add_recording(writer: ShardWriter, job: RecordingJob) -> RecordingResult:
    before = writer.num_samples
    regions = _join_spans(job.spans)
    try:
        stream = open_recording(job.path, channel=job.channel)
        offsets, length = _write_regions(writer, stream.blocks, regions)
    except AudioError as error:
        writer.take_back(before)
        return RecordingResult(job.name, problem=error.message.replace(str(job.path), job.name))
    utterances = tuple(_describe(writer, span, regions, offsets, length) for span in job.spans)
    return RecordingResult(job.name, stream.original_sample_rate, stream.num_channels, utterances)


def _join_spans(spans: Sequence[Span]) -> list[tuple[int, float]]:
    """Join the stretches that touch or overlap, so that no sample is stored twice; in samples, the end may be inf."""
    in_samples = sorted(
        (round(start * SAMPLE_RATE), inf if end is None else round(end * SAMPLE_RATE)) for start, end in spans
    )
    regions: list[tuple[int, float]] = []
    for start, end in in_samples:
        if regions and start <= regions[-1][1]:
            regions[-1] = (regions[-1][0], max(regions[-1][1], end))
        else:
            regions.append((start, end))
    return regions


def _write_regions(
    writer: ShardWriter, blocks: Iterator[FloatArray], regions: Sequence[tuple[int, float]]
) -> tuple[list[int], int]:
    """Keep what lies inside the regions; return each region's offset in the shard and how many samples were decoded."""
    offsets = [-1] * len(regions)
    # Not that of the last region: its end may be a slip that lies before its start.
    needed = max(end for _, end in regions)
    position = 0
    for block in blocks:
        after = position + block.size
        for index, (start, end) in enumerate(regions):
            first, last = max(start, position), int(min(end, after))
            if first < last:
                offset = writer.append(to_int16(block[first - position : last - position]))
                offsets[index] = offset if offsets[index] < 0 else offsets[index]
        position = after
        if position >= needed:
            break
    return offsets, position


def _describe(
    writer: ShardWriter, span: Span, regions: Sequence[tuple[int, float]], offsets: Sequence[int], length: int
) -> UtteranceAudio:
    start = round(span[0] * SAMPLE_RATE)
    end = length if span[1] is None else min(length, round(span[1] * SAMPLE_RATE))
    region = max(index for index, (first, _) in enumerate(regions) if first <= start)
    num_samples = max(0, end - start)
    offset = offsets[region] + start - regions[region][0] if num_samples else writer.num_samples
    samples = writer.read(offset, num_samples)
    return UtteranceAudio(
        offset_samples=offset,
        num_samples=num_samples,
        measures=measure_signal(samples),
        sound_hash=hashlib.blake2b(samples.tobytes(), digest_size=16).hexdigest(),
        problem=_problem(span, length / SAMPLE_RATE),
    )


def _problem(span: Span, length_seconds: float) -> str:
    start, end = span
    # First: nothing was decoded for the sake of such a stretch, so the length may be less than the recording's.
    if end is not None and end <= start:
        return f"ends at {end:.2f} s, which is not after its start at {start:.2f} s"
    if start >= length_seconds:
        return f"starts at {start:.2f} s, but its recording ends at {length_seconds:.2f} s"
    if end is not None and end > length_seconds + END_TOLERANCE_SECONDS:
        return f"ends at {end:.2f} s, but its recording ends at {length_seconds:.2f} s"
    return ""
