"""report.html: one file without scripts, fonts or addresses of its own, written for a linguist and safe to open.

Whatever a transcript holds is shown as text (see `templating`), a content security policy forbids scripts and
connections, and `<bdi>` keeps text directions apart.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment
from markupsafe import Markup

from lowres.report import sentences
from lowres.report.contents import ReportContents
from lowres.report.lines import Column, interlinear
from lowres.report.templating import clipped, make_environment, style_sheet, visible
from lowres.scoring.alignment import SplitText
from lowres.scoring.bootstrap import Interval
from lowres.scoring.confusions import Confusion
from lowres.scoring.marks import is_mark

MAX_UTTERANCES = 2_000
_LONGEST_UNIT = 40


@dataclass(frozen=True)
class UtteranceView:
    """What the page shows of one utterance; `recording` is a data address or ""."""

    number: int
    utterance_id: str
    speaker: str
    duration_seconds: float
    reference: str
    hypothesis: str
    direction: str
    columns: list[Column]
    num_word_errors: int
    num_words: int
    num_character_errors: int
    num_characters: int
    recording: str


def render_page(
    contents: ReportContents,
    *,
    split: SplitText,
    recordings: Mapping[int, str],
    max_utterances: int = MAX_UTTERANCES,
) -> str:
    """Write the whole page.

    Args:
        contents: everything the report says.
        split: cuts a word into letters with their marks, to mark the letters that differ.
        recordings: data addresses by utterance number; the page says how many are left out.
        max_utterances: how many utterances are listed; the rest is in utterances.tsv only.
    """
    card = contents.scorecard
    num_utterances = len(contents.text.utterance_ids)
    listed = range(min(num_utterances, max_utterances))
    views = _views(contents, sorted({*card.worst, *listed}), split, recordings)
    environment = _environment()
    return environment.get_template("report.html.jinja").render(
        contents=contents,
        card=card,
        provenance=contents.provenance,
        cautions=contents.cautions,
        num_utterances=num_utterances,
        total_seconds=sum(contents.text.durations_seconds),
        headline=sentences.headline(card.normalised.words, card.normalised.characters),
        range_sentence=sentences.range_sentence(card.normalised.words),
        worst=[views[index] for index in card.worst],
        listed=[views[index] for index in listed],
        num_playable=len(recordings),
        style=style_sheet("style.css"),
    )


def _views(
    contents: ReportContents, numbers: Sequence[int], split: SplitText, recordings: Mapping[int, str]
) -> dict[int, UtteranceView]:
    text, card = contents.text, contents.scorecard
    columns = interlinear([card.word_alignments[number] for number in numbers], split)
    return {
        number: UtteranceView(
            number=number,
            utterance_id=text.utterance_ids[number],
            speaker=text.speakers[number],
            duration_seconds=text.durations_seconds[number],
            reference=text.references[number],
            hypothesis=text.hypotheses[number],
            direction=direction(text.references[number] or text.hypotheses[number]),
            columns=line,
            num_word_errors=card.word_alignments[number].num_errors,
            num_words=card.word_alignments[number].num_reference,
            num_character_errors=card.character_alignments[number].num_errors,
            num_characters=card.character_alignments[number].num_reference,
            recording=recordings.get(number, ""),
        )
        for number, line in zip(numbers, columns, strict=True)
    }


def _environment() -> Environment:
    environment = make_environment()
    environment.filters.update(
        unit=unit,
        percent=sentences.percent,
        interval=sentences.interval_text,
        duration=sentences.duration_text,
        width=_width,
        span=_span,
        share=_share,
        frequent=frequent,
    )
    return environment


def direction(text: str) -> str:
    """Return "rtl" or "ltr" by the first letter that has a direction.

    `dir="auto"` would do the same, were it not that it looks past `<bdi>`, in which every word stands.
    """
    kinds = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


def unit(text: str) -> Markup:
    """Show a letter or word of a confusion table: a space is named, marks alone stand on a dotted circle."""
    if text == " ":
        return Markup('<span class="control">space</span>')
    if text and all(is_mark(character) for character in text):
        return visible("\u25cc" + text)
    return clipped(text, _LONGEST_UNIT)


def frequent(found: list[Confusion], limit: int = 12) -> list[Confusion]:
    """Keep what happened more than once, or the first few where nothing did."""
    return [confusion for confusion in found if confusion.count > 1][:limit] or found[:4]


def _width(rate: float) -> str:
    """Turn a rate into a CSS length of the 0-100 % track; a rate past 1 fills the track."""
    return f"{min(max(rate, 0.0), 1.0) * 100:.2f}%"


def _span(interval: Interval) -> str:
    low, high = min(interval.low, 1.0), min(interval.high, 1.0)
    return f"left:{low * 100:.2f}%;width:{(high - low) * 100:.2f}%"


def _share(confusion: Confusion) -> str:
    """Say how often the unit went wrong this way out of how often it was said."""
    return f"{confusion.count:,} of {confusion.num_reference:,}" if confusion.num_reference else f"{confusion.count:,}"
