"""Whether reports scored the same utterances against the same references: figures of different tests say nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from lowres.errors import CheckpointError
from lowres.stages.compare_reports import ReadReport, keep_utterances


@dataclass(frozen=True)
class SharedUtterances:
    """Reports cut down to what all of them scored alike.

    Attributes:
        reports: all of the same utterances, in the order of the first.
        num_left_out: utterances that not all scored, or not against the same reference.
    """

    reports: list[ReadReport]
    num_left_out: int


def demand_same(reports: Sequence[ReadReport]) -> list[ReadReport]:
    """Return the reports, all in the order of the first one's utterances.

    Raises:
        CheckpointError: they scored different utterances or different references; it names the first difference.
    """
    first = reports[0]
    for other in reports[1:]:
        if difference := _first_difference(first, other):
            raise CheckpointError(
                f"The reports of {first.run} and {other.run} are not of the same test: {difference}.",
                "Evaluate both again on the corpus as it is now, or compare only what both scored alike with --shared.",
            )
    order = [one.utterance_id for one in first.utterances]
    return [first, *(keep_utterances(other, order) for other in reports[1:])]


def take_shared(reports: Sequence[ReadReport]) -> SharedUtterances:
    """Return the reports with only those utterances that all scored against the same reference.

    Raises:
        CheckpointError: there is none.
    """
    references = [{one.utterance_id: one.reference for one in report.utterances} for report in reports]
    first = references[0]
    shared = [name for name in first if all(other.get(name) == first[name] for other in references[1:])]
    if not shared:
        raise CheckpointError(
            f"The reports of {', '.join(report.run for report in reports)} have not one utterance in common.",
            "Evaluate them again on the corpus as it is now.",
        )
    everything = {name for one in references for name in one}
    return SharedUtterances([keep_utterances(report, shared) for report in reports], len(everything) - len(shared))


def _first_difference(first: ReadReport, other: ReadReport) -> str:
    """Say where two reports differ in what they scored; "" where they do not."""
    for report in (first, other):
        names = [one.utterance_id for one in report.utterances]
        if len(set(names)) < len(names):
            twice = next(name for number, name in enumerate(names) if name in names[:number])
            return f"{twice} stands twice in that of {report.run}"
    known = {one.utterance_id: one.reference for one in other.utterances}
    for one in first.utterances:
        if one.utterance_id not in known:
            return f"{one.utterance_id} was scored for {first.run} alone"
        if known[one.utterance_id] != one.reference:
            return (
                f"the reference of {one.utterance_id} is “{_short(one.reference)}” for {first.run} and "
                f"“{_short(known[one.utterance_id])}” for {other.run}, so the text rules or transcripts have changed"
            )
    mine = {one.utterance_id for one in first.utterances}
    extra = next((one.utterance_id for one in other.utterances if one.utterance_id not in mine), "")
    return f"{extra} was scored for {other.run} alone" if extra else ""


def _short(text: str) -> str:
    visible = "".join(character if character.isprintable() else f"<U+{ord(character):04X}>" for character in text)
    return visible if len(visible) <= 60 else visible[:59] + "…"
