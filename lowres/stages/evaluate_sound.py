"""The sound of what is evaluated: how loud each recording is, and which of them go into the report or beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.measure import level_dbfs
from lowres.report.recordings import embed_recordings, write_recordings
from lowres.training.feed import TrainingSpeech


@dataclass(frozen=True)
class ReportSound:
    """The recordings of a report.

    Attributes:
        embedded: data addresses by utterance number, which the page holds.
        write_beside: writes the other recordings into the report's folder and gives their addresses; None where they
            were not asked for.
        num_beside: how many it will write.
    """

    embedded: Mapping[int, str]
    write_beside: Callable[[Path], dict[int, str]] | None
    num_beside: int


NO_SOUND = ReportSound({}, None, 0)


def measure_levels(speech: TrainingSpeech) -> list[float | None]:
    """Return the level of each recording in dB below full scale; -120 for silence."""
    return [level_dbfs(speech.read_samples(number)) for number in range(len(speech.num_samples))]


def gather_sound(speech: TrainingSpeech, wanted_first: Sequence[int], *, all_recordings: bool) -> ReportSound:
    """Embed the recordings of the most wanted utterances, as far as they are small.

    Args:
        speech: N utterances.
        wanted_first: numbers of those that matter most; the others follow in their order.
        all_recordings: whether those that do not fit are to be written beside the page.
    """
    numbers = list(dict.fromkeys([*wanted_first, *range(len(speech.num_samples))]))
    embedded = embed_recordings(numbers, speech.read_samples, SAMPLE_RATE)
    others = [number for number in numbers if number not in embedded] if all_recordings else []
    if not others:
        return ReportSound(embedded, None, 0)
    write = partial(write_recordings, numbers=others, read=speech.read_samples, sample_rate=SAMPLE_RATE)
    return ReportSound(embedded, write, len(others))
