"""Work on a Dask cluster: jobs are done wherever a worker is free, and given to another where one dies.

What travels over the network is names and numbers, never audio: the project lies on a disk that every worker sees under
the same path, as a university's cluster has it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lowres.errors import CorpusError, how_to_install

if TYPE_CHECKING:
    from distributed import Client

SECONDS_TO_ANSWER = 30
_JOBS_AHEAD = 4
"""Jobs that wait at the scheduler for each thread of the workers: enough to keep them busy, few to keep in memory."""

JobType = TypeVar("JobType")
ResultType = TypeVar("ResultType")


class ClusterWork(Generic[JobType, ResultType]):
    """What is to be done with each job, and how to speak of it.

    Args:
        function: called on a worker with a job.
        key: a name of a job, for the scheduler's own page.
        blame: what may have killed worker after worker at this job, as the beginning of a sentence.
        folder: of a job, which every worker must see.
    """

    def __init__(
        self,
        function: Callable[[JobType], ResultType],
        *,
        key: Callable[[JobType], str],
        blame: Callable[[JobType], str],
        folder: Callable[[JobType], Path],
    ) -> None:
        self.function, self.key, self.blame, self.folder = function, key, blame, folder


def run_on_cluster(
    address: str, jobs: Sequence[JobType], work: ClusterWork[JobType, ResultType]
) -> Iterator[tuple[int, ResultType]]:
    """Do jobs on the cluster whose scheduler is at an address.

    Args:
        address: host:port or tcp://host:port of a Dask scheduler, or the path of its scheduler file.
        jobs: the largest are best first.
        work: what to do with each.

    Yields:
        The number of a job and its result, as they finish.

    Raises:
        CorpusError: Dask is not installed, nothing answers at the address, the workers have no lowres or do not see the
            project, or one job killed several workers.
        OSError: a worker's disk is full or failing.
    """
    client = _connect(address)
    try:
        yield from _run(client, jobs, work)
    finally:
        client.close()


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError as error:
        raise CorpusError("A cluster needs Dask, which is not installed.", how_to_install("cluster")) from error
    try:
        if Path(address).is_file():
            return Client(scheduler_file=address, timeout=SECONDS_TO_ANSWER)
        return Client(address, timeout=SECONDS_TO_ANSWER)
    except (OSError, TimeoutError, ValueError) as error:
        raise CorpusError(
            f"No Dask scheduler answers at {address}.",
            "Start one (dask scheduler) with workers (dask worker ADDRESS) that see this disk, or leave --cluster out.",
        ) from error


def _run(
    client: "Client", jobs: Sequence[JobType], work: ClusterWork[JobType, ResultType]
) -> Iterator[tuple[int, ResultType]]:
    from distributed import as_completed

    waiting = enumerate(jobs)
    numbers: dict[Any, int] = {}

    def submit(number: int, job: JobType) -> Any:
        # Never taken from what another project computed: a job's result is files, too.
        future = client.submit(work.function, job, pure=False, key=f"{work.key(job)}-{number}")
        numbers[future.key] = number
        return future

    ahead = _JOBS_AHEAD * max(1, sum(client.nthreads().values()))
    with client.as_current():  # a notebook may have a client of its own
        under_way = as_completed([submit(number, job) for number, job in islice(waiting, ahead)])
    for future in under_way:
        number = numbers.pop(future.key)
        yield number, _result_of(future, jobs[number], work)
        for following, job in islice(waiting, 1):
            under_way.add(submit(following, job))


def _result_of(future: Any, job: JobType, work: ClusterWork[JobType, ResultType]) -> ResultType:
    from distributed import CancelledError, KilledWorker

    try:
        result: ResultType = future.result()
    except KilledWorker as error:
        raise CorpusError(
            f"Worker after worker died at {work.blame(job)}: they ran out of memory, or a damaged recording crashes "
            "its decoder.",
            "Give the command again (what is finished is kept), without --cluster if it happens again.",
        ) from error
    except CancelledError as error:
        raise CorpusError(
            "The cluster's scheduler went away.", "Start it and give the command again: what is finished is kept."
        ) from error
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise CorpusError(
            f"A worker of the cluster cannot do this work ({error}).",
            f"Every worker needs this version of lowres, and sees {work.folder(job)} under this very path.",
        ) from error
    return result
