"""prepare on a Dask cluster gives the bytes of one machine, also when workers are killed."""

import os
import signal
from pathlib import Path

import dask
import numpy as np
import pytest
import soundfile
from clusters import cluster_of
from distributed import Client

from lowres.audio import parts
from lowres.errors import CorpusError
from lowres.recipe import Recipe, parse_recipe
from lowres.stages import cluster as cluster_work
from lowres.stages.prepare import PrepareOptions, prepare

pytestmark = [
    pytest.mark.slow,
    # Sockets and event loops of a cluster that is torn down, or whose workers are killed.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def write_recipe(folder: Path, num_recordings: int = 400) -> Recipe:
    """Write recordings of noise, in some ten parts, and the recipe of their corpus."""
    generator = np.random.default_rng(1)
    folder.mkdir()
    for number in range(num_recordings):
        words = ["mbote", "ndeko", "tata", f"w{chr(97 + number % 26)}"][: 1 + number % 4]
        noise = 0.1 * generator.standard_normal(int(16_000 * (0.2 + 0.4 * len(words))))
        path = folder / f"speaker{number % 5}_{number:03d}.wav"
        soundfile.write(path, noise, 16_000)
        path.with_suffix(".txt").write_text(" ".join(words), encoding="utf-8")
    return parse_recipe(
        f'name = "tiny"\n[corpus]\nfolder = "{folder.as_posix()}"\n[corpus.reader]\nspeaker_from = "file_name"\n'
    )


def bytes_of(corpus: Path) -> dict[str, bytes]:
    return {str(path.relative_to(corpus)): path.read_bytes() for path in sorted(corpus.rglob("*")) if path.is_file()}


def silent(_step: str, _done: int, _total: int) -> None:
    pass


def test_a_cluster_makes_the_bytes_of_one_machine(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recordings")
    alone = prepare(tmp_path / "alone", recipe, PrepareOptions(num_workers=1), silent)
    with cluster_of(2) as cluster:
        together = prepare(tmp_path / "together", recipe, PrepareOptions(cluster=cluster.scheduler_address), silent)
    assert together.num_parts == alone.num_parts > 3
    assert bytes_of(together.corpus.folder) == bytes_of(alone.corpus.folder)


def test_killed_workers_cost_their_parts_alone(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recordings")
    alone = prepare(tmp_path / "alone", recipe, PrepareOptions(num_workers=1), silent)
    killed: list[int] = []
    with cluster_of(2) as cluster, Client(cluster.scheduler_address) as client:

        def kill_one(step: str, done: int, total: int) -> None:
            if step == "decoding" and 0 < done < total and len(killed) < 2:
                pids = [pid for pid in client.run(os.getpid, on_error="ignore").values() if pid not in killed]
                if pids:
                    os.kill(pids[0], signal.SIGKILL)
                    killed.append(pids[0])

        options = PrepareOptions(cluster=cluster.scheduler_address)
        together = prepare(tmp_path / "together", recipe, options, kill_one)
    assert len(killed) == 2
    assert bytes_of(together.corpus.folder) == bytes_of(alone.corpus.folder)


def die_while_decoding() -> None:
    parts._add_recording = lambda *_: os._exit(1)


def test_recordings_that_kill_every_worker_are_named_and_what_is_finished_is_kept(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "recordings", 12)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), cluster_of(1) as cluster:
        with Client(cluster.scheduler_address) as client:
            client.run(die_while_decoding)
        with pytest.raises(CorpusError, match=r"Worker after worker died at the same \d+ recordings, .*\.wav"):
            prepare(tmp_path / "project", recipe, PrepareOptions(cluster=cluster.scheduler_address), silent)
        assert (tmp_path / "project" / "corpus.partial").is_dir()
        result = prepare(tmp_path / "project", recipe, PrepareOptions(cluster=cluster.scheduler_address), silent)
    assert result.corpus.info.num_utterances == 12


def test_an_address_where_nothing_answers_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_work, "SECONDS_TO_ANSWER", 1)
    recipe = write_recipe(tmp_path / "recordings", 4)
    with pytest.raises(CorpusError, match=r"No Dask scheduler answers at 127\.0\.0\.1:9"):
        prepare(tmp_path / "project", recipe, PrepareOptions(cluster="127.0.0.1:9"), silent)
