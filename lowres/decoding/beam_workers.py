"""Beam search on every core: worker processes, because flashlight's decoder holds Python's lock while it searches."""

import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self

from lowres.decoding.beam_search import BeamDecoder, BeamHypothesis, BeamModel, BeamSettings, LogProbs
from lowres.errors import LowresError

_TASKS_PER_WORKER: Final = 4
"""Enough for a worker that got long utterances not to keep the others waiting."""

_FRAMES_WORTH_A_PROCESS: Final = 2_000
"""Less is searched faster than a process starts."""


class BeamWorkers:
    """Searches many utterances with one language model; use it in a `with`.

    Each worker reads the model's file once. What comes out does not depend on how many there are.

    Args:
        model: what to search with.
        num_workers: processes; 1 = this one alone, as it is where this one may start none (a daemon).

    Raises:
        LowresError: flashlight's text decoder is missing, or the model's file cannot be read.
    """

    def __init__(self, model: BeamModel, num_workers: int) -> None:
        self._decoder = BeamDecoder(model)
        self._model = model
        self._num_workers = 1 if multiprocessing.current_process().daemon else num_workers
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start nothing yet: processes start with the first search that is worth them."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the processes."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def decode(
        self, utterances: Sequence[LogProbs], settings: BeamSettings, *, num_best: int = 1
    ) -> list[list[BeamHypothesis]]:
        """Search all utterances.

        Args:
            utterances: (T, V) natural logarithms of each.
            settings: weights and the width of the beam.
            num_best: how many transcriptions of each are wanted at most.

        Returns:
            The best transcriptions of each utterance, in order, best first.

        Raises:
            LowresError: a process died.
        """
        num_frames = sum(len(log_probs) for log_probs in utterances)
        if self._num_workers <= 1 or len(utterances) < 2 or num_frames < _FRAMES_WORTH_A_PROCESS:
            return [self._decoder.decode(log_probs, settings, num_best=num_best) for log_probs in utterances]
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(
                self._num_workers, mp_context=context, initializer=_start_worker, initargs=(self._model,)
            )
        try:
            return self._share_out(self._executor, utterances, settings, num_best)
        except BrokenProcessPool as error:
            self._executor.shutdown()
            self._executor = None  # the next search starts new ones
            raise LowresError(
                "A process of the beam search died, most likely because the machine ran out of memory: each of "
                f"{self._num_workers} holds the whole of {self._model.arpa}.",
                "Close other programs or give the command fewer cores (in Linux: taskset --cpu-list 0 lowres ...); or "
                "make a smaller language model, of less text.",
            ) from error

    def _share_out(
        self, executor: ProcessPoolExecutor, utterances: Sequence[LogProbs], settings: BeamSettings, num_best: int
    ) -> list[list[BeamHypothesis]]:
        longest_first = sorted(range(len(utterances)), key=lambda index: -len(utterances[index]))
        num_tasks = min(self._num_workers * _TASKS_PER_WORKER, len(utterances))
        shares = [longest_first[number::num_tasks] for number in range(num_tasks)]
        tasks = [
            executor.submit(_decode_share, [utterances[index] for index in share], settings, num_best)
            for share in shares
        ]
        found: list[list[BeamHypothesis]] = [[] for _ in utterances]
        for share, task in zip(shares, tasks, strict=True):
            for index, best in zip(share, task.result(), strict=True):
                found[index] = best
        return found


_worker: list[BeamDecoder] = []
"""The decoder of this worker process."""


def _start_worker(model: BeamModel) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _worker.append(BeamDecoder(model))


def _decode_share(utterances: list[LogProbs], settings: BeamSettings, num_best: int) -> list[list[BeamHypothesis]]:
    return [_worker[0].decode(log_probs, settings, num_best=num_best) for log_probs in utterances]
