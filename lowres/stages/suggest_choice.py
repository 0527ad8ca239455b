"""Which untranscribed recordings teach a recogniser most: chosen one after the other, each for what it adds.

Three things count alike: words that the recogniser is unsure of (Settles 2009, section 3.1, uncertainty sampling), runs
of letters that neither the training text nor what was chosen before has, and sounding unlike everything chosen before
and trained on, which finds other speakers and rooms (diversity; Brinker 2003). Of each the share of candidates that
have less of it is taken, so that none outweighs the others by its scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Runs = frozenset[tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A recording, or some minutes of a long one.

    Attributes:
        name: of the recording. start_seconds, end_seconds: of the passage.
        speech_seconds: of speech in it, above 0.
        doubt: the mean over its words of 1 - confidence, 0-1.
        runs: of labels in its draft (`runs_of`).
        voice: (F,) how it sounds: means and spreads of its log-mel bands.
    """

    name: str
    start_seconds: float
    end_seconds: float
    speech_seconds: float
    doubt: float
    runs: Runs
    voice: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suggestion:
    """A candidate that was chosen, and why.

    Attributes:
        candidate: which. doubt: as there.
        num_new_runs: runs of three labels that neither training nor the suggestions before it have.
        distance: of its sound from the nearest of those, in standard deviations of a band.
        score: the mean of the three shares, 0-1.
    """

    candidate: Candidate
    doubt: float
    num_new_runs: int
    distance: float
    score: float


def choose(
    candidates: Sequence[Candidate],
    *,
    known_runs: Runs,
    known_voices: Sequence[npt.NDArray[np.float64]],
    seconds: float,
) -> list[Suggestion]:
    """Choose candidates until `seconds` of speech are together; the best first.

    Args:
        candidates: to choose from.
        known_runs: of the training text.
        known_voices: (F,) each: how the training speech sounds.
        seconds: of speech wanted.

    Returns:
        The suggestions in the order in which they were chosen; all candidates where they are not enough.
    """
    if not candidates:
        return []
    voices = np.stack([one.voice for one in candidates])
    spread = np.std(np.concatenate([voices, *(voice[None] for voice in known_voices)]), axis=0)
    voices = voices / np.maximum(spread, 1e-6)
    nearest = np.full(len(candidates), np.inf)
    for voice in known_voices:
        nearest = np.minimum(nearest, _distances(voices, voice / np.maximum(spread, 1e-6)))
    left = list(range(len(candidates)))
    known = set(known_runs)
    chosen: list[Suggestion] = []
    total = 0.0
    while left and total < seconds:
        doubts = np.array([candidates[index].doubt for index in left])
        news = np.array([len(candidates[index].runs - known) for index in left])
        # For each minute that somebody has to transcribe: a long recording has more of everything.
        rates = news / np.array([candidates[index].speech_seconds for index in left])
        # The first choice of all has nothing to be far from.
        distances = np.where(np.isfinite(nearest[left]), nearest[left], 0.0)
        scores = (_shares(doubts) + _shares(rates) + _shares(distances)) / 3
        place = int(np.argmax(scores))
        index = left.pop(place)
        one = candidates[index]
        chosen.append(Suggestion(one, one.doubt, int(news[place]), float(distances[place]), float(scores[place])))
        known |= one.runs
        nearest = np.minimum(nearest, _distances(voices, voices[index]))
        total += one.speech_seconds
    return chosen


def _distances(voices: npt.NDArray[np.float64], voice: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    distances: npt.NDArray[np.float64] = np.sqrt(((voices - voice) ** 2).mean(axis=1))
    return distances


def _shares(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each value the share of values that are smaller, 0-1."""
    ordered = np.sort(values)
    shares: npt.NDArray[np.float64] = np.searchsorted(ordered, values, side="left") / max(len(values) - 1, 1)
    return shares
