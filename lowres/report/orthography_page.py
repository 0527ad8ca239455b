"""report.html of the orthography audit: what transcripts are written with, with words to hear, in one offline file."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from lowres.report.clips import MOST_CLIP_SECONDS, ClipShelf, Sound
from lowres.report.templating import clipped, page_environment, plain, style_sheet, visible
from lowres.report.terms import terms
from lowres.report.writing import OTHER_PAGE
from lowres.text.audit_findings import FINDING_TITLES, Example, Finding, OrthographyAudit
from lowres.text.audit_tally import counted
from lowres.text.marks import is_mark

_MOST_LETTERS: Final = 1000
_MOST_MARKS: Final = 200
_LONGEST_LETTER, _LONGEST_WORD, _MOST_POINTS, _SHOWN_WORDS = 20, 60, 6, 3
_HEARD_OF_EACH: Final = 3
"""Of every finding so many of its letters or words are made to be heard, as far as there is room."""


@dataclass(frozen=True)
class AuditPage:
    """An audit and what the page says about where it came from.

    Attributes:
        audit: see `OrthographyAudit`.
        name: of the corpus; `language_code` is the tag of its transcripts, or "".
        source: the folder of the transcripts; `from_prepared` as `AuditResult` has it.
        notes: what the reader had to guess.
        snippet: lines of TOML with the suggested rules.
        transcripts: by utterance id, of what can be heard.
        licence, consent: of the speech; "" where nobody stated them.
    """

    audit: OrthographyAudit
    name: str
    language: str
    language_code: str
    source: str
    from_prepared: bool
    notes: tuple[str, ...]
    snippet: Sequence[str]
    transcripts: Mapping[str, str]
    licence: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a table: a letter, mark or word, with words that hold it and a recording of one of them.

    Attributes:
        what: the letter, mark or word. points: its code points, "U+0254 U+0301".
        count, num_utterances: how often it occurs, and in how many utterances.
        remark: its name, its meaning, or what is odd about it.
        script: of a letter; else "".
        words: example words as written.
        sound: a recording of an utterance with one of the words.
    """

    what: str
    points: str
    count: int
    num_utterances: int
    remark: str
    script: str
    words: tuple[str, ...]
    sound: Sound | None


def wanted_clips(audit: OrthographyAudit, seconds: Mapping[str, float]) -> list[str]:
    """List the utterances to embed, the most wanted first: of findings, of marks, of letters, the rare ones first.

    Args:
        audit: see `OrthographyAudit`.
        seconds: durations by utterance id, as far as they are known: the shortest example is taken.
    """
    found = [item.examples for one in audit.findings for item in one.items[:_HEARD_OF_EACH]]
    marks = [mark.examples for mark in audit.marks]
    letters = [use.examples for use in reversed(audit.graphemes[:_MOST_LETTERS])]
    chosen = (_shortest(examples, seconds) for examples in (*found, *marks, *letters) if examples)
    return list(dict.fromkeys(chosen))


def example_ids(audit: OrthographyAudit) -> set[str]:
    """Return the ids of all utterances that an audit gives as examples."""
    items = [item for one in audit.findings for item in one.items]
    listed = [use.examples for uses in (audit.graphemes, audit.marks, items) for use in uses]
    return {example.utterance_id for examples in listed for example in examples}


def render_orthography_page(page: AuditPage, recordings: Mapping[str, str]) -> str:
    """Write the whole page.

    Args:
        page: what it says.
        recordings: data addresses by utterance id.
    """
    audit, shelf = page.audit, ClipShelf(recordings)
    environment = page_environment(letter=letter, word=_word)
    # In the order of the page: the first line that an utterance stands in gets its player.
    found = [(one, FINDING_TITLES[one.kind], _lines_of(one, shelf)) for one in audit.findings]
    marks = [
        _line(mark.mark, (mark.count, mark.num_utterances), mark.meaning, mark.examples, shelf)
        for mark in audit.marks[:_MOST_MARKS]
    ]
    letters = [
        _line(use.grapheme, (use.count, use.num_utterances), use.name, use.examples, shelf, use.script)
        for use in audit.graphemes[:_MOST_LETTERS]
    ]
    return environment.get_template("orthography.html.jinja").render(
        page=page,
        audit=audit,
        headline=_headline(audit),
        found=found,
        marks=marks,
        num_tones=sum(mark.tone for mark in audit.marks),
        letters=letters,
        missing=[suggestion for suggestion in audit.suggestions if not suggestion.in_recipe],
        num_playable=shelf.num_placed,
        most_seconds=MOST_CLIP_SECONDS,
        other_page=OTHER_PAGE,
        terms=terms(page.licence, page.consent),
        style=style_sheet("style.css", "corpus.css"),
        title=plain(page.name),
    )


def letter(text: str) -> Markup:
    """Show a letter: a lone mark on a dotted circle, a space and what hides by its name."""
    if text == " ":
        return Markup('<span class="control">space</span>')
    shown = f"\u25cc{text}" if text and (is_mark(text[0]) or unicodedata.category(text[0]) == "Mn") else text
    return clipped(shown, _LONGEST_LETTER)


def _word(text: str) -> Markup:
    return clipped(text, _LONGEST_WORD)


def _headline(audit: OrthographyAudit) -> Markup:
    mostly = Markup(", mostly {}").format(visible(audit.script)) if audit.script else ""
    graphemes = counted(len(audit.graphemes), "grapheme")
    told = sum(1 for suggestion in audit.suggestions if not suggestion.in_recipe)
    rules = f"{counted(told, 'text rule')} to look over" if told else "no text rule to add"
    return Markup("{}{}; {}.").format(graphemes, mostly, rules)


def _lines_of(finding: Finding, shelf: ClipShelf) -> list[Line]:
    return [
        _line(item.what, (item.count, item.num_utterances), item.remark, item.examples, shelf) for item in finding.items
    ]


def _line(
    what: str, counts: tuple[int, int], remark: str, examples: Sequence[Example], shelf: ClipShelf, script: str = ""
) -> Line:
    heard = shelf.choose(example.utterance_id for example in examples)
    words = dict.fromkeys(example.word for example in examples)
    return Line(what, _points(what), *counts, remark, script, tuple(words)[:_SHOWN_WORDS], shelf.place(heard))


def _points(text: str) -> str:
    more = " …" if len(text) > _MOST_POINTS else ""
    return " ".join(f"U+{ord(character):04X}" for character in text[:_MOST_POINTS]) + more


def _shortest(examples: Iterable[Example], seconds: Mapping[str, float]) -> str:
    return min((example.utterance_id for example in examples), key=lambda name: seconds.get(name, 0.0))
