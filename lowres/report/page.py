"""report.html: one file that opens offline, written for a linguist: the answer first, then why, then every utterance.

Whatever a transcript holds is shown as text (see `templating` and `scripts`), a content security policy allows the
page's own script and no connections, and `<bdi>` keeps text directions apart. Without scripts the page still answers
all its questions; only the list of all utterances ends early.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from jinja2 import Environment

from lowres.report import sentences
from lowres.report.contents import ReportContents
from lowres.report.heat_map import DrawnHeatMap, HeatMap, draw_heat_map
from lowres.report.lines import Column, direction, interlinear
from lowres.report.scripts import page_data, page_script
from lowres.report.templating import LONGEST_UNIT, page_environment, plain, style_sheet
from lowres.report.terms import terms
from lowres.report.tracks import track_part, track_width
from lowres.report.utterance_data import KIND_NAMES, short_name, utterance_data
from lowres.scoring.alignment import SplitText
from lowres.scoring.confusions import Confusion, Confusions
from lowres.scoring.error_kinds import ERROR_KINDS, ErrorKind

NUM_FIRST = 50
"""How many utterances, besides the worst, are there without scripts."""

_SCRIPTS = ("report_search.js", "report_player.js", "report_rows.js", "report_roll.js", "report.js")
_MOST_CLIPS = 2


@dataclass(frozen=True)
class UtteranceView:
    """What the page shows of one utterance; `recording` is a data address, one beside the page, or ""."""

    number: int
    utterance_id: str
    speaker: str
    duration_seconds: float
    reference: str
    hypothesis: str
    direction: str
    columns: Sequence[Column]
    num_word_errors: int
    num_words: int
    num_character_errors: int
    num_characters: int
    kinds: Sequence[str]
    recording: str


@dataclass(frozen=True)
class ConfusionView:
    """One line of a confusion table: `place` is that of its utterances in the data, `clips` are some to hear."""

    confusion: Confusion
    place: int
    clips: Sequence[int]


@dataclass(frozen=True)
class ConfusionTables:
    """The three tables of one unit, letters or words."""

    substitutions: Sequence[ConfusionView]
    insertions: Sequence[ConfusionView]
    deletions: Sequence[ConfusionView]


@dataclass
class _Sets:
    """Hands out places in the data to the confusions that a button lists the utterances of."""

    playable: Collection[int]
    confusions: list[Confusion] = field(default_factory=list)

    def tables(self, found: Confusions) -> ConfusionTables:
        changed, added, left_out = (
            [self._view(one) for one in frequent(kind)]
            for kind in (found.substitutions, found.insertions, found.deletions)
        )
        return ConfusionTables(changed, added, left_out)

    def _view(self, confusion: Confusion) -> ConfusionView:
        self.confusions.append(confusion)
        clips = [number for number in confusion.utterances if number in self.playable]
        return ConfusionView(confusion, len(self.confusions) - 1, clips[:_MOST_CLIPS])


def render_page(
    contents: ReportContents,
    *,
    split: SplitText,
    recordings: Mapping[int, str],
    linked: Mapping[int, str] | None = None,
) -> str:
    """Write the whole page.

    Args:
        contents: everything the report says.
        split: cuts a word into letters with their marks, to mark the letters that differ.
        recordings: data addresses by utterance number, which the page holds.
        linked: addresses by utterance number of recordings beside the page.
    """
    card, linked = contents.scorecard, linked or {}
    addresses = {**linked, **recordings}
    lines = interlinear(card.word_alignments, split)
    first = range(min(len(lines), NUM_FIRST))
    views = {number: _view(contents, number, lines[number], addresses) for number in {*card.worst, *first}}
    sets = _Sets(addresses)
    letters, words = sets.tables(card.grapheme_confusions), sets.tables(card.word_confusions)
    apart = {number: address for number, address in recordings.items() if number not in views}
    script = page_script(*_SCRIPTS)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            contents=contents,
            card=card,
            provenance=contents.provenance,
            terms=terms(contents.provenance.licence, contents.provenance.consent),
            cautions=contents.cautions,
            title=plain(contents.provenance.language),
            num_utterances=len(lines),
            total_seconds=sum(contents.text.durations_seconds),
            headline=sentences.headline(card.normalised.words, card.normalised.characters),
            range_sentence=sentences.range_sentence(card.normalised.words),
            usefulness=contents.usefulness,
            heat_map=_heat_map(contents),
            letters=letters,
            words=words,
            media_source="data: 'self' file:" if linked else "data:",
            worst=[views[number] for number in card.worst],
            first=[views[number] for number in first],
            num_playable=len(addresses),
            num_beside=len(linked.keys() - recordings.keys()),
            speakers=sorted(set(contents.text.speakers)),
            style=style_sheet("style.css", "charts.css", "report.css"),
            script=script,
            data=page_data(
                utterance_data(contents, lines, embedded=sorted(apart), linked=linked, sets=sets.confusions)
            ),
            recording_data=page_data(apart),
        )
    )


def _view(
    contents: ReportContents, number: int, columns: Sequence[Column], recordings: Mapping[int, str]
) -> UtteranceView:
    text, card = contents.text, contents.scorecard
    words, characters = card.word_alignments[number], card.character_alignments[number]
    kinds = card.error_kinds.by_utterance[number]
    return UtteranceView(
        number=number,
        utterance_id=text.utterance_ids[number],
        speaker=text.speakers[number],
        duration_seconds=text.durations_seconds[number],
        reference=text.references[number],
        hypothesis=text.hypotheses[number],
        direction=direction(text.references[number] or text.hypotheses[number]),
        columns=columns,
        num_word_errors=words.num_errors,
        num_words=words.num_reference,
        num_character_errors=characters.num_errors,
        num_characters=characters.num_reference,
        kinds=[short_name(kind) for kind in ERROR_KINDS if kinds.get(kind)],
        recording=recordings.get(number, ""),
    )


def _heat_map(contents: ReportContents) -> DrawnHeatMap | None:
    matrix = contents.scorecard.confusion_matrix
    if not matrix.graphemes:
        return None
    names = [*matrix.graphemes, ""]
    return draw_heat_map(
        HeatMap(
            key="letters",
            title="Which letter was heard as which",
            explanation="Of the letters with most errors. A row is what was said, a column what was heard: the darker, "
            "the more often. The last row is what nobody said, the last column what nobody heard.",
            row_names=names,
            column_names=names,
            counts=matrix.counts,
            row_unit="said",
            column_unit="heard",
        )
    )


def _environment() -> Environment:
    return page_environment(
        width=track_width,
        span=track_part,
        share=_share,
        kind=kind_name,
        confusion_words=_confusion_words,
    )


def kind_name(kind: ErrorKind) -> str:
    """Name a kind of error as the reader knows it."""
    return KIND_NAMES[kind]


def frequent(found: list[Confusion], limit: int = 12) -> list[Confusion]:
    """Keep what happened more than once, or the first few where nothing did."""
    return [confusion for confusion in found if confusion.count > 1][:limit] or found[:4]


def _share(confusion: Confusion) -> str:
    """Say how often the unit went wrong this way out of how often it was said."""
    return f"{confusion.count:,} of {confusion.num_reference:,}" if confusion.num_reference else f"{confusion.count:,}"


def _confusion_words(confusion: Confusion) -> str:
    """Say in words what went wrong, for a button: "é heard as e"."""
    said, heard = (
        plain(text[:LONGEST_UNIT]).replace(" ", "space") for text in (confusion.reference, confusion.hypothesis)
    )
    if not said:
        return f"{heard} added"
    return f"{said} heard as {heard}" if heard else f"{said} left out"
