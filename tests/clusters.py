"""A Dask cluster of processes on this machine, for the tests of what runs on one."""

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import LocalCluster


@contextmanager
def cluster_of(num_workers: int, num_threads: int = 1) -> Iterator[LocalCluster]:
    """Start a cluster; any free port serves its pages, since tests run beside each other."""
    with LocalCluster(
        n_workers=num_workers, threads_per_worker=num_threads, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster
