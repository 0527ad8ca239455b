"""Which speech of which languages an update of pretraining learns from: shares that follow the hours to a power.

XLSR and XLS-R draw languages, and corpora, with probability (hours of it / all hours)^alpha, so that the rare ones are
heard more often than they would be. Here the hours that are heard follow these shares, not the number of utterances:
whoever is furthest behind its share comes next. So no language gains by having longer utterances, and the shares hold
to within an utterance instead of on average.

Nothing here is remembered but how far each corpus is, so a resumed run goes on exactly where the killed one was, and
ten million utterances cost a few integers each. Imports no torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from lowres.training.crops import Crop, Passes, SourcePosition, SpeechSource, seed_of_crop

__all__ = [
    "Crop", "LanguagesPerMicroBatch", "MixturePosition", "MixtureSettings", "MixtureUpdate", "SourcePosition",
    "SpeechSource", "TargetShares", "count_left_out", "plan_mixture", "seed_of_crop", "share_of_process",
    "target_shares",
]  # fmt: skip

LanguagesPerMicroBatch = Literal["mixed", "one"]
Name = TypeVar("Name", str, int)


@dataclass(frozen=True, kw_only=True)
class MixtureSettings:
    """How speech is drawn; sizes are in samples.

    Raises:
        ValueError: a value no run could use, by name.
    """

    samples_per_update: int
    """What one update should learn from, over all processes."""

    micro_batch_samples: int
    """What may be computed at once, over all processes: what fits into one of them times their number. Padding does
    not count, because the network never computes on it."""

    crop_samples: int
    """Longest piece of an utterance that is learnt from at once."""

    shortest_samples: int
    """Utterances shorter than that are left out."""

    language_alpha: float = 0.5
    """0 hears every language alike, 1 in proportion to its hours; 0.5 in XLSR and XLS-R."""

    corpus_alpha: float = 0.5
    """The same for the corpora of one language."""

    languages_per_micro_batch: LanguagesPerMicroBatch = "mixed"
    """Whether the utterances of a micro batch come from all languages or from one; an update has several."""

    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what no plan can follow."""
        for name in ("language_alpha", "corpus_alpha"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be between 0 and 1")
        for name in ("samples_per_update", "micro_batch_samples", "crop_samples", "shortest_samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 1")
        if self.shortest_samples > self.crop_samples:
            raise ValueError("shortest_samples is above crop_samples: every utterance of that length would be too long")


@dataclass(frozen=True)
class MixturePosition:
    """A place in the endless stream of updates: everything there is to remember of it."""

    updates: int = 0
    """Updates done."""

    sources: tuple[SourcePosition, ...] = ()
    """One for each source, in their order; empty at the beginning."""


@dataclass(frozen=True)
class MixtureUpdate:
    """What one update learns from, in all processes together."""

    micro_batches: tuple[tuple[Crop, ...], ...]
    next_position: MixturePosition
    """Where the next update begins."""


@dataclass(frozen=True)
class TargetShares:
    """The shares of the hours heard, each list and each table adding up to 1."""

    sources: tuple[float, ...]
    """One for each source, in their order; 0 where nothing is long enough."""

    languages: dict[str, float]


def target_shares(sources: Sequence[SpeechSource], settings: MixtureSettings) -> TargetShares:
    """Work out which share of the hours heard each source and each language should have.

    Args:
        sources: at least one.
        settings: the two alphas and the shortest length are read.

    Returns:
        (hours of a language / all hours)^language_alpha, normalised; inside a language the same with corpus_alpha.

    Raises:
        ValueError: no source has an utterance that is long enough.
    """
    samples = [_usable_samples(source, settings) for source in sources]
    if not any(samples):
        raise ValueError("there are no utterances to plan updates from")
    of_language: dict[str, float] = {}
    for source, count in zip(sources, samples, strict=True):
        of_language[source.language] = of_language.get(source.language, 0.0) + count
    languages = _to_the_power(of_language, settings.language_alpha)
    shares = [0.0] * len(sources)
    for language, share in languages.items():
        members = {n: float(samples[n]) for n, source in enumerate(sources) if source.language == language}
        for n, inside in _to_the_power(members, settings.corpus_alpha).items():
            shares[n] = share * inside
    return TargetShares(tuple(shares), languages)


def count_left_out(sources: Sequence[SpeechSource], settings: MixtureSettings) -> tuple[int, ...]:
    """Count the utterances of each source that are too short."""
    return tuple(int((source.num_samples < settings.shortest_samples).sum()) for source in sources)


def plan_mixture(
    sources: Sequence[SpeechSource],
    settings: MixtureSettings,
    *,
    start: MixturePosition,
    num_processes: int = 1,
) -> Iterator[MixtureUpdate]:
    """Yield updates without end, from a place in the stream.

    An utterance that is no longer than a crop is drawn once in every pass over its source, in an order of its own for
    each pass. A longer one is drawn as often as crops go into it (rounded), at random places in consecutive stretches
    of it, so that an hour in one recording weighs as much as an hour in a thousand.

    An update takes crops until one more would bring it further from `samples_per_update` than it is. It is dealt into
    as many micro batches as are needed to keep each within `micro_batch_samples`; only a micro batch that would
    otherwise hold fewer crops than there are processes is larger.

    Args:
        sources: the speech; with other sources, another order of them or other settings, the stream is another one.
        settings: sizes, shares and the seed.
        start: `MixturePosition()`, or the `next_position` of an earlier update.
        num_processes: P; every micro batch holds at least P crops. Where that is so anyway, it changes nothing.

    Raises:
        ValueError: no source has an utterance that is long enough, or `start` belongs to other sources.
    """
    drawer = _Drawer(sources, settings, start)
    while True:
        if settings.languages_per_micro_batch == "one":
            micro_batches = _draw_one_language_each(drawer, settings, num_processes)
        else:
            micro_batches = _draw_mixed(drawer, settings, num_processes)
        drawer.updates += 1
        yield MixtureUpdate(micro_batches, drawer.position())


def share_of_process(micro_batch: Sequence[Crop], rank: int, num_processes: int) -> tuple[Crop, ...]:
    """Give one process its part of a micro batch: the parts have as many crops, and of like length in all.

    Args:
        micro_batch: at least as many crops as there are processes.
        rank: which process, from 0.
        num_processes: P.

    Returns:
        Crops, longest first, at least one; every crop is in the part of exactly one process.
    """
    return _deal(micro_batch, num_processes)[rank]


def _usable_samples(source: SpeechSource, settings: MixtureSettings) -> int:
    lengths = source.num_samples
    return int(lengths.sum(dtype=np.int64, where=lengths >= settings.shortest_samples))


def _to_the_power(amounts: dict[Name, float], alpha: float) -> dict[Name, float]:
    """Return amount^alpha of whatever is above 0, normalised."""
    total = sum(amounts.values())
    powers = {name: (amount / total) ** alpha for name, amount in amounts.items() if amount > 0}
    return {name: power / sum(powers.values()) for name, power in powers.items()}


class _Drawer:
    """Draws from whichever language, and corpus in it, is furthest behind its share of the samples drawn so far."""

    def __init__(self, sources: Sequence[SpeechSource], settings: MixtureSettings, start: MixturePosition) -> None:
        if start.sources and len(start.sources) != len(sources):
            raise ValueError(f"the position is one of {len(start.sources)} sources, not of {len(sources)}")
        shares = target_shares(sources, settings)
        positions = start.sources or (SourcePosition(),) * len(sources)
        self.updates = start.updates
        self._passes = [
            Passes(
                source,
                number,
                crop_samples=settings.crop_samples,
                shortest_samples=settings.shortest_samples,
                seed=settings.seed,
                start=position,
            )
            for number, (source, position) in enumerate(zip(sources, positions, strict=True))
        ]
        self._languages = list(shares.languages)
        self._language_shares = np.array(list(shares.languages.values()))
        self._members = [
            [n for n, source in enumerate(sources) if source.language == language and shares.sources[n] > 0]
            for language in self._languages
        ]
        self._member_shares = [
            np.array([shares.sources[n] / shares.languages[language] for n in members])
            for language, members in zip(self._languages, self._members, strict=True)
        ]
        self._drawn = np.array(
            [sum(positions[n].drawn_samples for n in members) for members in self._members], dtype=np.float64
        )

    def position(self) -> MixturePosition:
        """Return where this is now."""
        return MixturePosition(self.updates, tuple(passes.position for passes in self._passes))

    def choose_language(self) -> int:
        """Return the number of the language that is furthest behind; the first of several."""
        return int(np.argmax(self._language_shares * self._drawn.sum() - self._drawn))

    def peek(self, language: int) -> Crop:
        """Return the next crop of a language."""
        members = self._members[language]
        if len(members) == 1:
            return self._passes[members[0]].peek()
        drawn = np.array([float(self._passes[n].drawn_samples) for n in members])
        behind = self._member_shares[language] * drawn.sum() - drawn
        return self._passes[members[int(np.argmax(behind))]].peek()

    def take(self, language: int, crop: Crop) -> None:
        """Go past the crop that `peek` returned for this language."""
        self._passes[crop.source].take(crop)
        self._drawn[language] += crop.num_samples


def _draw_mixed(drawer: _Drawer, settings: MixtureSettings, num_processes: int) -> tuple[tuple[Crop, ...], ...]:
    """Draw one update's crops and deal them into micro batches of mixed languages."""
    crops: list[Crop] = []
    collected = 0
    while True:
        language = drawer.choose_language()
        crop = drawer.peek(language)
        if len(crops) >= num_processes and collected + crop.num_samples // 2 > settings.samples_per_update:
            break
        drawer.take(language, crop)
        crops.append(crop)
        collected += crop.num_samples
    most = len(crops) // num_processes
    number = min(-(-collected // settings.micro_batch_samples), most)
    while True:
        micro_batches = _deal(crops, number)
        if number == most or max(map(_count_samples, micro_batches)) <= settings.micro_batch_samples:
            return micro_batches
        number += 1


def _draw_one_language_each(
    drawer: _Drawer, settings: MixtureSettings, num_processes: int
) -> tuple[tuple[Crop, ...], ...]:
    """Draw one update's micro batches, each from the language that is furthest behind then."""
    micro_batches: list[tuple[Crop, ...]] = []
    collected = 0
    while True:
        language = drawer.choose_language()
        missing = settings.samples_per_update - collected
        if micro_batches and drawer.peek(language).num_samples // 2 > missing:
            return tuple(micro_batches)
        wanted = max(missing, 0) / max(-(-missing // settings.micro_batch_samples), 1)
        crops = _draw_from(drawer, language, wanted, settings.micro_batch_samples, num_processes)
        micro_batches.append(crops)
        collected += _count_samples(crops)


def _draw_from(drawer: _Drawer, language: int, wanted: float, most: int, fewest_crops: int) -> tuple[Crop, ...]:
    """Draw crops of one language: as near to `wanted` samples as can be, and at most `most`."""
    crops: list[Crop] = []
    samples = 0
    while True:
        crop = drawer.peek(language)
        is_enough = samples + crop.num_samples // 2 > wanted or samples + crop.num_samples > most
        if len(crops) >= fewest_crops and is_enough:
            return tuple(crops)
        drawer.take(language, crop)
        crops.append(crop)
        samples += crop.num_samples


def _deal(crops: Sequence[Crop], number: int) -> tuple[tuple[Crop, ...], ...]:
    """Deal crops, longest first, to and fro: hands of as many crops (or one fewer) and of nearly as much audio."""
    hands: list[list[Crop]] = [[] for _ in range(number)]
    there_and_back = [*range(number), *reversed(range(number))]
    for place, crop in enumerate(sorted(crops, key=lambda crop: -crop.num_samples)):
        hands[there_and_back[place % (2 * number)]].append(crop)
    return tuple(map(tuple, hands))


def _count_samples(crops: Sequence[Crop]) -> int:
    return sum(crop.num_samples for crop in crops)
