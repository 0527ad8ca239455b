"""Works out a comparison: a run against the baseline, on the same utterances, all runs corrected for their number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lowres.report.compare_contents import (
    ComparedText,
    Comparison,
    KindChange,
    LetterChange,
    Measured,
    ScoredRun,
    SpeakerChange,
    UtteranceChange,
)
from lowres.scoring.alignment import Alignment, SplitText, align_units
from lowres.scoring.error_kinds import classify_errors
from lowres.scoring.paired import PairedDifference, compare_errors
from lowres.scoring.significance import holm

_LETTERS_SHOWN: Final = 16


def compare_with_first(
    text: ComparedText, runs: Sequence[ScoredRun], *, split: SplitText, seed: int = 1
) -> list[Comparison]:
    """Compare every run but the first with the first.

    Args:
        text: the N utterances that all runs were scored on.
        runs: two or more; the first is the baseline.
        split: cuts a line into letters with their marks.
        seed: of the random draws.
    """
    letters = [_letter_errors(text, run, split) for run in runs]
    found = [
        _compare(text, runs[0], runs[number], number, letters=(letters[0], letters[number]), seed=seed)
        for number in range(1, len(runs))
    ]
    words, characters = (_corrected([getattr(one, name) for one in found]) for name in ("words", "characters"))
    return [replace(one, words=words[i], characters=characters[i]) for i, one in enumerate(found)]


def _corrected(measured: Sequence[Measured]) -> list[Measured]:
    """Correct both chances of luck for the number of runs that are compared with the baseline."""
    redrawing = holm([one.luck_by_redrawing for one in measured])
    swapping = holm([one.luck_by_swapping for one in measured])
    return [
        Measured(one.difference, first, second)
        for one, first, second in zip(measured, redrawing, swapping, strict=True)
    ]


def _compare(
    text: ComparedText,
    before: ScoredRun,
    now: ScoredRun,
    number: int,
    *,
    letters: tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]],
    seed: int,
) -> Comparison:
    return Comparison(
        run=number,
        words=_measure(before.words, now.words, text.speakers, seed),
        characters=_measure(before.characters, now.characters, text.speakers, seed),
        utterances=[
            UtteranceChange(
                place,
                before.words[place].num_errors,
                now.words[place].num_errors,
                before.characters[place].num_errors,
                now.characters[place].num_errors,
            )
            for place in range(len(text.utterance_ids))
        ],
        speakers=_by_speaker(text, before, now, seed),
        kinds=_by_kind(before, now),
        letters=_by_letter(*letters),
    )


def _measure(before: Sequence[Alignment], now: Sequence[Alignment], speakers: Sequence[str], seed: int) -> Measured:
    difference = _difference(before, now, speakers, seed)
    return Measured(difference, difference.luck_by_redrawing, difference.luck_by_swapping)


def _difference(
    before: Sequence[Alignment], now: Sequence[Alignment], speakers: Sequence[str], seed: int
) -> PairedDifference:
    return compare_errors(
        [alignment.num_errors for alignment in now],
        [alignment.num_errors for alignment in before],
        [alignment.num_reference for alignment in now],
        speakers,
        seed=seed,
    )


def _by_speaker(text: ComparedText, before: ScoredRun, now: ScoredRun, seed: int) -> list[SpeakerChange]:
    members: dict[str, list[int]] = {}
    for place, speaker in enumerate(text.speakers):
        members.setdefault(speaker, []).append(place)
    if len(members) < 2:
        return []
    found = []
    for name, places in members.items():
        first, second = ([run.words[place] for place in places] for run in (before, now))
        changes = [one.num_errors - other.num_errors for one, other in zip(second, first, strict=True)]
        words = _difference(first, second, [name] * len(places), seed)
        found.append(SpeakerChange(name, len(places), sum(c < 0 for c in changes), sum(c > 0 for c in changes), words))
    return sorted(found, key=lambda one: (-one.num_utterances, one.name))


def _by_kind(before: ScoredRun, now: ScoredRun) -> list[KindChange]:
    first, second = classify_errors(before.words, limit=0), classify_errors(now.words, limit=0)
    return [
        KindChange(old.kind, old.num_errors, new.num_errors)
        for old, new in zip(first.counts, second.counts, strict=True)
        if old.num_errors or new.num_errors
    ]


def _letter_errors(text: ComparedText, run: ScoredRun, split: SplitText) -> Counter[tuple[str, str]]:
    return Counter(
        (unit.reference or "", unit.hypothesis or "")
        for alignment in align_units(text.references, run.hypotheses, split)
        for unit in alignment.units()
        if unit.operation != "equal"
    )


def _by_letter(before: Counter[tuple[str, str]], now: Counter[tuple[str, str]]) -> list[LetterChange]:
    """Return the confusions whose number changed most, the largest change first, ties in the order of the letters."""
    pairs = sorted(before.keys() | now.keys(), key=lambda pair: (-abs(now[pair] - before[pair]), pair))
    return [
        LetterChange(*pair, before[pair], now[pair]) for pair in pairs[:_LETTERS_SHOWN] if now[pair] != before[pair]
    ]
