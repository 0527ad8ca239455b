"""prepare, step 2: decode every recording once, in parallel, into parts that survive an interruption.

The recordings are divided into parts before anything is decoded, at places that depend on their names alone: the
result is the same whatever the number of workers, and a recording that is added later changes one part only. Finished
parts wait in `corpus.partial/parts/` under their fingerprints; those of an earlier `prepare` are taken from `corpus/`.
"""

import multiprocessing
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from lowres.audio.parts import (
    PartResult,
    RecordingJob,
    fingerprint_part,
    index_path,
    leave_interrupts_to_parent,
    make_part,
    read_part,
)
from lowres.audio.shards import SHARDS_FOLDER
from lowres.errors import CorpusError
from lowres.manifest.schema import UtteranceRow
from lowres.stages.prepare_cluster import make_parts_on_cluster
from lowres.stages.problems import FULL_DISK

PARTS_FOLDER = "parts"
_RECORDINGS_PER_PART = 96
_MOST_RECORDINGS_PER_PART = 512
_MOST_BYTES_PER_PART = 64 << 20


@dataclass(frozen=True)
class Part:
    """Some recordings that become one shard.

    Attributes:
        jobs: the recordings. rows: for each of them, the positions of its utterances in the list of rows.
        fingerprint: what it is found again by.
    """

    jobs: tuple[RecordingJob, ...]
    rows: tuple[tuple[int, ...], ...]
    fingerprint: str

    @property
    def num_bytes(self) -> int:
        """Size of the recordings as they are stored: what the progress bar counts."""
        return sum(job.size_bytes for job in self.jobs)


@dataclass(frozen=True)
class DecodedParts:
    """One result per part, and how many of the parts an earlier run had decoded."""

    results: list[PartResult]
    num_reused: int


DecodeProgress = Callable[[int, int], None]
"""Called with the bytes of recordings that are decoded and those of all."""


def plan_parts(corpus_folder: Path, rows: Sequence[UtteranceRow]) -> list[Part]:
    """Divide recordings into parts; each recording (and channel of it) is in one part, with all its utterances."""
    positions: dict[tuple[str, int | None], list[int]] = {}
    for position, row in enumerate(rows):
        positions.setdefault((row.audio_path, row.channel), []).append(position)
    parts: list[Part] = []
    jobs: list[RecordingJob] = []
    members: list[tuple[int, ...]] = []
    for (audio_path, channel), of_recording in positions.items():
        job = _plan_recording(corpus_folder, audio_path, channel, [rows[position] for position in of_recording])
        starts_a_part = zlib.crc32(audio_path.encode(errors="surrogateescape")) % _RECORDINGS_PER_PART == 0
        is_full = len(jobs) == _MOST_RECORDINGS_PER_PART or (
            sum(other.size_bytes for other in jobs) + job.size_bytes > _MOST_BYTES_PER_PART
        )
        if jobs and (starts_a_part or is_full):
            parts.append(Part(tuple(jobs), tuple(members), fingerprint_part(jobs)))
            jobs, members = [], []
        jobs.append(job)
        members.append(tuple(of_recording))
    if jobs:
        parts.append(Part(tuple(jobs), tuple(members), fingerprint_part(jobs)))
    return parts


def _plan_recording(folder: Path, audio_path: str, channel: int | None, rows: Sequence[UtteranceRow]) -> RecordingJob:
    path = folder / audio_path
    try:
        stat = path.stat()
        size, modified = stat.st_size, stat.st_mtime_ns
    except OSError:
        size, modified = 0, 0
    spans = tuple((row.start_seconds, row.end_seconds) for row in rows)
    return RecordingJob(path, audio_path, channel, size, modified, spans)


def decode_parts(
    parts: Sequence[Part],
    partial: Path,
    existing: Path,
    num_workers: int,
    progress: DecodeProgress,
    *,
    cluster: str = "",
) -> DecodedParts:
    """Decode all parts that are not finished yet and put all of them into `partial`/shards, numbered in their order.

    Args:
        parts: as planned.
        partial: the corpus that is being made; finished parts of an interrupted attempt are used from there.
        existing: the prepared corpus of an earlier run, or where one would be; its parts are used, not changed.
        num_workers: processes; 1 = this one alone.
        progress: see `DecodeProgress`.
        cluster: address of a Dask scheduler whose workers decode in the place of processes here; "" for none.

    Returns:
        One result per part, in order, and how many did not have to be decoded. The shard of part n is named
        `shard_name(n)`.

    Raises:
        CorpusError: the disk is full, a worker died, or the cluster cannot be used; what was finished is kept.
    """
    pool = partial / PARTS_FOLDER
    pool.mkdir(parents=True, exist_ok=True)
    finished = _find_finished(partial, existing)
    missing = [part for part in parts if part.fingerprint not in finished]
    total = sum(part.num_bytes for part in parts)
    done = total - sum(part.num_bytes for part in missing)
    progress(done, total)
    try:
        # The largest first, so that no worker is left alone with one at the end.
        missing.sort(key=lambda part: -part.num_bytes)
        if cluster and missing:
            decoding = _decode_on_cluster(missing, pool, cluster)
        else:
            decoding = _decode(missing, pool, min(num_workers, len(missing)))
        for part, result in decoding:
            finished[part.fingerprint] = (_pool_path(pool, part), result)
            done += part.num_bytes
            progress(done, total)
        _assemble(parts, finished, partial, pool)
    except OSError as error:
        if error.errno in FULL_DISK:
            kept = sum(part.fingerprint in finished for part in parts)
            raise CorpusError(
                f"The disk that holds {partial} is full; {kept} of {len(parts)} parts of the audio are kept.",
                "Free some space and give the same command again, or choose another disk with --project; 16 kHz audio "
                "needs 115 MB an hour.",
            ) from error
        raise
    return DecodedParts([finished[part.fingerprint][1] for part in parts], len(parts) - len(missing))


def shard_name(number: int) -> str:
    """Name the shard of part `number`, counted from 0."""
    return f"part-{number:05d}.pcm"


def _decode(parts: Sequence[Part], pool: Path, num_workers: int) -> Iterator[tuple[Part, PartResult]]:
    if num_workers <= 1:
        for part in parts:
            yield part, make_part(_pool_path(pool, part), part.jobs)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(num_workers, mp_context=context, initializer=leave_interrupts_to_parent)
    try:
        futures: dict[Future[PartResult], Part] = {
            executor.submit(make_part, _pool_path(pool, part), part.jobs): part for part in parts
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise CorpusError(
            "A process that was decoding recordings was killed: it ran out of memory, or a damaged recording crashed "
            "its decoder.",
            "Give the command again (finished parts are kept), with --workers 1 if it happens again.",
        ) from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _decode_on_cluster(parts: Sequence[Part], pool: Path, address: str) -> Iterator[tuple[Part, PartResult]]:
    # Workers run in other folders.
    jobs = [(_pool_path(pool.absolute(), part), _with_absolute_paths(part.jobs)) for part in parts]
    for number, result in make_parts_on_cluster(address, jobs):
        yield parts[number], result


def _with_absolute_paths(jobs: Sequence[RecordingJob]) -> tuple[RecordingJob, ...]:
    return tuple(replace(job, path=job.path.absolute()) for job in jobs)


def _pool_path(pool: Path, part: Part) -> Path:
    return pool / f"{part.fingerprint[:32]}.pcm"


def _find_finished(partial: Path, existing: Path) -> dict[str, tuple[Path, PartResult]]:
    """Find finished parts by their fingerprints, wherever an earlier or an interrupted `prepare` left them."""
    finished = {}
    for folder in (existing / SHARDS_FOLDER, partial / SHARDS_FOLDER, partial / PARTS_FOLDER):
        for index in sorted(folder.glob("*.json")):
            shard = index.with_suffix(".pcm")
            result = read_part(shard)
            if result is not None:
                finished[result.fingerprint] = (shard, result)
    return finished


def _assemble(parts: Sequence[Part], finished: dict[str, tuple[Path, PartResult]], partial: Path, pool: Path) -> None:
    """Move or link every part to its numbered name; a part that lies in the way goes back to the pool first."""
    shards = partial / SHARDS_FOLDER
    shards.mkdir(exist_ok=True)
    for fingerprint, (shard, result) in finished.items():
        if shard.parent == shards:
            waiting = pool / f"{fingerprint[:32]}.pcm"
            _move(shard, waiting)
            finished[fingerprint] = (waiting, result)
    shutil.rmtree(shards)
    shards.mkdir()
    for number, part in enumerate(parts):
        shard, _ = finished[part.fingerprint]
        target = shards / shard_name(number)
        if shard.parent == pool:
            _move(shard, target)
        else:
            _link(shard, target)


def _move(shard: Path, target: Path) -> None:
    shard.replace(target)
    index_path(shard).replace(index_path(target))


def _link(shard: Path, target: Path) -> None:
    for source, copy in ((shard, target), (index_path(shard), index_path(target))):
        try:
            os.link(source, copy)
        except OSError as error:  # another disk, or a file system without links
            if error.errno in FULL_DISK:
                raise
            shutil.copyfile(source, copy)
