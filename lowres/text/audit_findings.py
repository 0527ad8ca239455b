"""What an orthography audit hands over: plain data with counts, example words and the utterances they are from."""

from dataclasses import dataclass
from typing import Final, Literal

FindingKind = Literal[
    "leftovers",
    "mixed-scripts",
    "look-alikes",
    "unicode-forms",
    "invisible",
    "bare-and-marked",
    "stray-symbols",
    "undeclared",
    "unused",
    "rare-letters",
    "digits",
    "abbreviations",
    "capitals",
    "punctuation",
    "rare-letter-words",
    "multigraphs",
]
MOST_EXAMPLES = 5

FINDING_TITLES: Final[dict[FindingKind, str]] = {
    "leftovers": "Left behind by programs",
    "mixed-scripts": "Mixed scripts",
    "look-alikes": "Look-alikes",
    "unicode-forms": "Accents typed in several ways",
    "invisible": "Invisible characters",
    "bare-and-marked": "Words with and without marks",
    "stray-symbols": "Stray signs",
    "undeclared": "Undeclared letters",
    "unused": "Unused letters",
    "rare-letters": "Rare letters",
    "digits": "Digits",
    "abbreviations": "Abbreviations",
    "capitals": "Capitals",
    "punctuation": "Punctuation",
    "rare-letter-words": "Words with rare letters",
    "multigraphs": "Candidates for multigraphs",
}
"""What each finding is called, in the terminal and on the page."""


@dataclass(frozen=True)
class Example:
    """A word as written (of a very long one, what stands around the place) and one utterance that holds it."""

    word: str
    utterance_id: str


@dataclass(frozen=True)
class GraphemeUse:
    """One grapheme of the transcripts.

    Attributes:
        grapheme: in NFC, its marks with it.
        count: how often it occurs; with `num_utterances`, in how many utterances.
        name: the Unicode names of its code points.
        script: as `lowres.text.scripts.script_of` of its first code point.
        examples: at most five words.
    """

    grapheme: str
    count: int
    num_utterances: int
    name: str
    script: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class MarkUse:
    """One combining mark, tone letter or modifier letter: orthography, not a fault.

    Attributes:
        mark: one code point.
        count, num_utterances: as `GraphemeUse`.
        meaning: what it usually writes.
        tone: whether it usually writes tone.
        examples: at most five words.
    """

    mark: str
    count: int
    num_utterances: int
    meaning: str
    tone: bool
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class FoundItem:
    """One letter, word or pair that a finding is about; `remark` says what about it."""

    what: str
    count: int
    num_utterances: int
    remark: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: which.
        sentence: what was found, for people, with its numbers.
        num_utterances: utterances that hold any of it.
        num_items: of how many letters or words this is true.
        items: the most telling of them, at most `MOST_ITEMS`.
    """

    kind: FindingKind
    sentence: str
    num_utterances: int
    num_items: int
    items: tuple[FoundItem, ...]


@dataclass(frozen=True)
class Suggestion:
    """One step that could stand in the recipe's text rules.

    Attributes:
        step: as a recipe writes it: "nfc", {"map": {...}} ...
        reason: one line.
        num_utterances: how many it would change, after the steps suggested before it.
        in_recipe: whether the recipe does it already.
    """

    step: object
    reason: str
    num_utterances: int
    in_recipe: bool


@dataclass(frozen=True)
class OrthographyAudit:
    """All that was found in the transcripts of one corpus.

    Attributes:
        num_utterances, num_empty: utterances, and those without any text.
        num_words, num_distinct_words: pieces between white space.
        script: the one that most letters belong to; "" where there are no letters.
        graphemes: every one, most frequent first.
        marks: every mark and modifier letter, most frequent first.
        findings: what was found, most important first; a kind stands here at most once.
        suggestions: steps in the order in which they should be applied; nothing was changed.
        rules: the recipe's rules with the missing suggestions put in, as data for `lowres.text.rules.parse_rules`.
    """

    num_utterances: int
    num_empty: int
    num_words: int
    num_distinct_words: int
    script: str
    graphemes: tuple[GraphemeUse, ...]
    marks: tuple[MarkUse, ...]
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]
    rules: tuple[object, ...]

    def finding(self, kind: FindingKind) -> Finding | None:
        """Return the finding of a kind; None where nothing of it was found."""
        return next((finding for finding in self.findings if finding.kind == kind), None)
