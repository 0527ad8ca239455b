"""The page of a comparison: the answer in words, the figures, what differs in the making, and where they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from jinja2 import Environment

from lowres.report import compare_sentences, sentences
from lowres.report.clips import MOST_CLIP_SECONDS, ClipShelf, Sound
from lowres.report.compare_contents import CompareContents, Comparison, SeedGroup, UtteranceChange, Verdict
from lowres.report.compare_lines import DoubleColumn, double_lines
from lowres.report.lines import direction
from lowres.report.templating import page_environment, style_sheet
from lowres.report.terms import terms
from lowres.report.utterance_data import KIND_NAMES
from lowres.scoring.alignment import SplitText
from lowres.scoring.bootstrap import NUM_REPLICATES
from lowres.scoring.paired import PairedDifference

_MOST_SHOWN: Final = 60
_FEWEST_SHOWN: Final = 10
_SPEAKERS_SHOWN: Final = 40
_SMALLEST_SCALE: Final = 0.1
_HALF_TRACK: Final = 48.0
"""Percent of the track from its middle to an end; a little is left for the markers."""

_VERDICTS: Final[dict[Verdict, str]] = {
    "better": "fewer errors",
    "worse": "more errors",
    "unsure": "cannot be told apart",
    "unlike tests": "the tests disagree",
    "same": "no difference",
}


@dataclass(frozen=True)
class ChangeView:
    """An utterance of the page, heard twice."""

    change: UtteranceChange
    utterance_id: str
    speaker: str
    duration_seconds: float
    reference: str
    before: str
    now: str
    direction: str
    columns: Sequence[DoubleColumn]
    sound: Sound | None


@dataclass(frozen=True)
class ComparisonView:
    """What the page says of one comparison."""

    comparison: Comparison
    name: str
    headline: str
    sentences: Sequence[str]
    worse: Sequence[ChangeView]
    better: Sequence[ChangeView]


@dataclass(frozen=True)
class RangeView:
    """A relative difference with its range, as places on a track, in percent from the left; fewer errors lie left."""

    name: str
    measure: str
    words: str
    low: float
    high: float
    point: float


def utterances_shown(contents: CompareContents) -> list[int]:
    """Return the numbers of the utterances that the page lists, those that changed most first."""
    shown = [changes for one in contents.comparisons for changes in _listed(contents, one).values()]
    longest = max((len(changes) for changes in shown), default=0)
    by_rank = (changes[rank].number for rank in range(longest) for changes in shown if rank < len(changes))
    return list(dict.fromkeys(by_rank))


def render_comparison(contents: CompareContents, *, split: SplitText, recordings: Mapping[str, str]) -> str:
    """Write the whole page.

    Args:
        contents: everything the comparison says.
        split: cuts a word into letters with their marks.
        recordings: data addresses by utterance id.
    """
    shelf = ClipShelf(recordings)
    views = [_view(contents, one, split, shelf) for one in contents.comparisons]
    return (
        _environment()
        .get_template("compare.html.jinja")
        .render(
            contents=contents,
            views=views,
            many=compare_sentences.many_sentence(contents),
            groups=[compare_sentences.group_sentence(contents, group) for group in contents.groups],
            between=_between_groups(contents),
            ranges=_ranges(contents),
            num_utterances=len(contents.text.utterance_ids),
            total_seconds=sum(contents.text.durations_seconds),
            num_replicates=NUM_REPLICATES,
            num_playable=shelf.num_placed,
            most_seconds=MOST_CLIP_SECONDS,
            speakers_shown=_SPEAKERS_SHOWN,
            verdicts=_VERDICTS,
            kind_names=KIND_NAMES,
            terms=terms(contents.licence, contents.consent),
            style=style_sheet("style.css", "corpus.css", "compare.css"),
        )
    )


def _environment() -> Environment:
    return page_environment(
        chance=compare_sentences.chance_text,
        points=compare_sentences.points_text,
        points_interval=compare_sentences.points_interval,
        relative=relative_text,
        relative_interval=relative_interval,
    )


def relative_text(difference: PairedDifference) -> str:
    """Print by how much errors became fewer or more: "−12.1 %"; "–" where there were none before."""
    if not difference.num_errors_before:
        return "–"
    share = difference.gain.share
    return f"{'−' if share > 0 else '+' if share < 0 else ''}{sentences.percent(abs(share), 1)}"


def relative_interval(difference: PairedDifference) -> str:
    """Print the range of the relative difference, fewer errors as below 0: "−16.0 to −8.1 %"."""
    interval = difference.gain.interval
    if interval is None:
        return "–"
    low, high = compare_sentences.points_text(-interval.high), compare_sentences.points_text(-interval.low)
    return f"{low} to {high}{sentences.NO_BREAK}%"


def _view(contents: CompareContents, one: Comparison, split: SplitText, shelf: ClipShelf) -> ComparisonView:
    listed = _listed(contents, one)
    said = [
        compare_sentences.luck_sentence(contents, one),
        compare_sentences.rates_sentence(contents, one),
        compare_sentences.letters_sentence(one),
        compare_sentences.counts_sentence(one),
    ]
    return ComparisonView(
        comparison=one,
        name=contents.runs[one.run].name,
        headline=compare_sentences.headline(contents, one),
        sentences=said,
        worse=_changes(contents, one, listed["worse"], split, shelf),
        better=_changes(contents, one, listed["better"], split, shelf),
    )


def _listed(contents: CompareContents, one: Comparison) -> dict[Literal["worse", "better"], list[UtteranceChange]]:
    """Return what became worse and better, by most first, as many as the page lists."""
    limit = max(_FEWEST_SHOWN, _MOST_SHOWN // len(contents.comparisons))
    outcomes: tuple[Literal["worse", "better"], ...] = ("worse", "better")
    return {
        outcome: sorted(
            (change for change in one.utterances if change.outcome == outcome),
            key=lambda change: change.largest_first(outcome),
        )[:limit]
        for outcome in outcomes
    }


def _changes(
    contents: CompareContents,
    one: Comparison,
    changes: Sequence[UtteranceChange],
    split: SplitText,
    shelf: ClipShelf,
) -> list[ChangeView]:
    text, before, now = contents.text, contents.baseline, contents.runs[one.run]
    numbers = [change.number for change in changes]
    lines = double_lines([before.words[i] for i in numbers], [now.words[i] for i in numbers], split)
    return [
        ChangeView(
            change=change,
            utterance_id=text.utterance_ids[change.number],
            speaker=text.speakers[change.number],
            duration_seconds=text.durations_seconds[change.number],
            reference=text.references[change.number],
            before=before.hypotheses[change.number],
            now=now.hypotheses[change.number],
            direction=direction(text.references[change.number] or now.hypotheses[change.number]),
            columns=columns,
            sound=shelf.place(text.utterance_ids[change.number]),
        )
        for change, columns in zip(changes, lines, strict=True)
    ]


def _between_groups(contents: CompareContents) -> list[str]:
    """Say of every group of seeds how it stands to that of the baseline, where the baseline is in one."""
    of_baseline: SeedGroup | None = next((group for group in contents.groups if 0 in group.runs), None)
    if of_baseline is None:
        return []
    others = (group for group in contents.groups if group is not of_baseline)
    return [compare_sentences.between_groups_sentence(contents, of_baseline, other) for other in others]


def _ranges(contents: CompareContents) -> list[RangeView]:
    measured = [
        (contents.runs[one.run].name, measure, found.difference.gain)
        for one in contents.comparisons
        for measure, found in (("words", one.words), ("letters", one.characters))
    ]
    known = [(name, measure, gain, gain.interval) for name, measure, gain in measured if gain.interval]
    ends = [abs(end) for _, _, gain, interval in known for end in (interval.low, interval.high, gain.share)]
    scale = max([_SMALLEST_SCALE, *ends])

    def place(share: float) -> float:
        return 50 - share / scale * _HALF_TRACK

    return [
        RangeView(
            name,
            measure,
            compare_sentences.interval_words(interval, gain.share),
            place(interval.high),
            place(interval.low),
            place(gain.share),
        )
        for name, measure, gain, interval in known
    ]
