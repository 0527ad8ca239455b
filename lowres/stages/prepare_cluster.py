"""prepare, step 2 on a Dask cluster: the parts are decoded wherever a worker is free.

Parts, fingerprints and bytes are those of one machine (`lowres.stages.prepare_decode`). The project and the corpus lie
on a disk that every worker sees under the same path, as a university's cluster has; what travels over the network is
names and numbers, never audio. A worker's death costs the part that it was at: the scheduler gives it to another.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowres.audio.parts import PartResult, RecordingJob, make_part
from lowres.errors import CorpusError

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_ANSWER = 30
_PARTS_AHEAD = 4
"""Parts that wait at the scheduler for each thread of the workers: enough to keep them busy, few to keep in memory."""

PartJob = tuple[Path, tuple[RecordingJob, ...]]
"""The shard to write and the recordings that become it."""


def make_parts_on_cluster(address: str, jobs: Sequence[PartJob]) -> Iterator[tuple[int, PartResult]]:
    """Make parts on the cluster whose scheduler is at an address.

    Args:
        address: host:port or tcp://host:port of a Dask scheduler, or the path of its scheduler file.
        jobs: the parts; the largest are best first.

    Yields:
        The number of a job and its result, as they finish.

    Raises:
        CorpusError: Dask is not installed, nothing answers at the address, the workers have no lowres or do not see the
            project, or one part killed several workers.
        OSError: a worker's disk is full or failing.
    """
    client = _connect(address)
    try:
        yield from _make_parts(client, jobs)
    finally:
        client.close()


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise CorpusError(
            "A cluster needs Dask, which is not installed.", "Install it: pip install 'lowres[cluster]'."
        ) from error
    try:
        if Path(address).is_file():
            return Client(scheduler_file=address, timeout=SECONDS_TO_ANSWER)
        return Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, TimeoutError, ValueError) as error:
        raise CorpusError(
            f"No Dask scheduler answers at {address}.",
            "Start one (dask scheduler) with workers (dask worker ADDRESS) that see this disk, or leave --cluster out.",
        ) from error


def _make_parts(client: "Client", jobs: Sequence[PartJob]) -> Iterator[tuple[int, PartResult]]:
    from distributed import as_completed

    waiting = enumerate(jobs)
    numbers: dict[Any, int] = {}

    def submit(number: int, job: PartJob) -> Any:
        # Never taken from what another project computed: a part is its file, too.
        future = client.submit(make_part, *job, pure=False, key=f"{job[0].stem}-{number}")
        numbers[future.key] = number
        return future

    ahead = _PARTS_AHEAD * max(1, sum(client.nthreads().values()))
    with client.as_current():  # a notebook may have a client of its own
        under_way = as_completed([submit(number, job) for number, job in islice(waiting, ahead)])
    for future in under_way:
        number = numbers.pop(future.key)
        yield number, _result_of(future, jobs[number])
        for following, job in islice(waiting, 1):
            under_way.add(submit(following, job))


def _result_of(future: Any, job: PartJob) -> PartResult:
    from distributed import CancelledError, KilledWorker

    shard, recordings = job
    try:
        result: PartResult = future.result()
    except KilledWorker as error:
        raise CorpusError(
            f"Worker after worker died at the same {len(recordings)} recordings, the first of which is "
            f"{recordings[0].name}: they ran out of memory, or a damaged recording crashes its decoder.",
            "Give the command again (finished parts are kept), without --cluster if it happens again.",
        ) from error
    except CancelledError as error:
        raise CorpusError(
            "The cluster's scheduler went away.", "Start it and give the command again: finished parts are kept."
        ) from error
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise CorpusError(
            f"A worker of the cluster cannot do this work ({error}).",
            f"Every worker needs this version of lowres, and sees {shard.parent} under this very path.",
        ) from error
    return result
