"""prepare, step 2 on a Dask cluster: parts, fingerprints and bytes are those of one machine (`prepare_decode`).

A worker's death costs the part that it was at: the scheduler gives it to another.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from lowres.audio.parts import PartResult, RecordingJob, make_part
from lowres.stages.cluster import ClusterWork, run_on_cluster

PartJob = tuple[Path, tuple[RecordingJob, ...]]
"""The shard to write and the recordings that become it."""


def make_parts_on_cluster(address: str, jobs: Sequence[PartJob]) -> Iterator[tuple[int, PartResult]]:
    """Make parts on the cluster whose scheduler is at an address; as `run_on_cluster`."""
    work = ClusterWork(
        _make,
        key=lambda job: job[0].stem,
        blame=lambda job: f"the same {len(job[1])} recordings, the first of which is {job[1][0].name}",
        folder=lambda job: job[0].parent,
    )
    yield from run_on_cluster(address, jobs, work)


def _make(job: PartJob) -> PartResult:
    shard, recordings = job
    return make_part(shard, recordings)
