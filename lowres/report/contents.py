"""What a report says, as plain data: the figures, how they came about, and what makes them less trustworthy."""

from dataclasses import dataclass, field

from lowres.report.heat_map import show_name
from lowres.scoring.bootstrap import FEW_SPEAKERS, FEW_UNITS
from lowres.scoring.scorecard import Scorecard, ScoredText
from lowres.scoring.usefulness import Usefulness, judge_usefulness
from lowres.text.audit_tally import counted

FEW_UTTERANCES = 100
MANY_ENOUGH = 20
NOTABLE_DIFFERENCE = 0.01
"""Word errors that the text rules take away, as a share of the words, from which on the reader is told."""


@dataclass(frozen=True)
class TrainingOverlap:
    """What of the scored split was in the training data that the recognizer really saw.

    Speakers "" are unknown and not counted.
    """

    num_speakers: int
    shared_speakers: tuple[str, ...]
    num_utterances: int
    num_shared_sentences: int


@dataclass(frozen=True)
class Provenance:
    """How the figures came about, for people who want to repeat them.

    `facts` are (name, value) pairs in reading order: recipe hash, checkpoint, seed, hours trained, versions ...
    `language_code` is the tag of the transcripts' language, "" where nobody said.
    """

    language: str
    language_code: str
    corpus_name: str
    run_name: str
    split: str
    synthetic: bool
    text_rules: tuple[str, ...]
    licence: str = ""
    consent: str = ""
    source: str = ""
    citation: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class SplitFacts:
    """What the reader must know of the scored split before believing the figure.

    `dev_chose_checkpoint` is true where the split helped to choose the checkpoint; `num_excluded` rows were left out
    by the checks of `prepare`; `unwritable` maps symbols of the references that the vocabulary lacks to their counts.
    """

    overlap: TrainingOverlap
    dev_chose_checkpoint: bool = False
    num_excluded: int = 0
    unwritable: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Caution:
    """A badge of two or three words and the plain sentence behind it; `serious` ones change what the figure means."""

    badge: str
    sentence: str
    serious: bool = True


@dataclass(frozen=True)
class ReportContents:
    """Everything the three files of a report are written from."""

    text: ScoredText
    scorecard: Scorecard
    provenance: Provenance
    split_facts: SplitFacts
    more_cautions: tuple[Caution, ...] = ()

    @property
    def usefulness(self) -> Usefulness | None:
        """Whether correcting a draft is faster than typing; None where nothing was said, so that there is no rate."""
        rates = self.scorecard.normalised
        if not rates.words.counts.num_reference:
            return None
        words, characters = rates.words.counts.error_rate, rates.characters.counts.error_rate
        return judge_usefulness(words, characters, rates.words.over_utterances)

    @property
    def cautions(self) -> list[Caution]:
        """What to know before quoting the figure, the most serious first; empty where nothing speaks against it."""
        found = [
            *_about_the_corpus(self.provenance, self.split_facts),
            *_about_the_rules(self.scorecard),
            *_about_overlap(self.split_facts.overlap),
            *_about_size(self.text),
            *_about_output(self),
            *self.more_cautions,
        ]
        return sorted(found, key=lambda caution: not caution.serious)


def _about_the_corpus(provenance: Provenance, facts: SplitFacts) -> list[Caution]:
    found = []
    if provenance.synthetic:
        found.append(
            Caution(
                "synthetic speech", "A machine spoke these recordings: the figure says nothing about real speakers."
            )
        )
    if facts.dev_chose_checkpoint:
        found.append(
            Caution(
                f"scored on {provenance.split}",
                f"The {provenance.split} split also chose which checkpoint to keep, so the figure is too good; "
                "an untouched test split would give an honest one.",
            )
        )
    if facts.num_excluded:
        was, is_not = ("was", "is") if facts.num_excluded == 1 else ("were", "are")
        found.append(
            Caution(
                "utterances left out",
                f"{counted(facts.num_excluded, 'utterance')} of this split {was} left out by the checks of “lowres "
                f"prepare” (see checks.tsv) and {is_not} not scored.",
                serious=False,
            )
        )
    if facts.unwritable:
        listed = ", ".join(f"{_symbol(symbol)} ({count:,})" for symbol, count in list(facts.unwritable.items())[:12])
        found.append(
            Caution(
                "letters it cannot write",
                f"The references hold symbols that the training text never had, so they can only be wrong: {listed}.",
                serious=False,
            )
        )
    return found


def _symbol(symbol: str) -> str:
    """Quote a symbol, a mark alone on a dotted circle, not on the quotation mark; a blank would not be seen at all."""
    if symbol.isspace():
        return " ".join(f"U+{ord(character):04X}" for character in symbol)
    return f"“{show_name(symbol).text}”"


def _about_the_rules(card: Scorecard) -> list[Caution]:
    """Say where the recipe's text rules make the figure better than the transcripts as written would."""
    normalised, raw = card.normalised.words.counts, card.raw.words.counts
    if not raw.num_reference or raw.error_rate - normalised.error_rate < NOTABLE_DIFFERENCE:
        return []
    return [
        Caution(
            "text rules count",
            "The figure is of the text after the recipe's rules. Against the transcripts as they were written, "
            f"{raw.error_rate * 100:.0f} of 100 words are wrong instead of {normalised.error_rate * 100:.0f}.",
            serious=False,
        )
    ]


def _about_overlap(overlap: TrainingOverlap) -> list[Caution]:
    found = []
    if overlap.shared_speakers:
        shared, total = len(overlap.shared_speakers), overlap.num_speakers
        who = "All speakers" if shared == total else f"{shared} of {total} speakers"
        if total == 1:
            who = "The only speaker"
        found.append(
            Caution(
                "speakers seen in training",
                f"{who} of this split also spoke in the training data. "
                "For people it has never heard, expect more errors than this.",
            )
        )
    if overlap.num_shared_sentences:
        verb = "is" if overlap.num_shared_sentences == 1 else "are"
        found.append(
            Caution(
                "sentences seen in training",
                f"{overlap.num_shared_sentences:,} of {overlap.num_utterances:,} sentences of this split {verb}, word "
                "for word, in the training text. For new sentences, expect more errors than this.",
            )
        )
    return found


def _about_size(text: ScoredText) -> list[Caution]:
    found = []
    num_utterances, speakers = len(text.utterance_ids), set(text.speakers) - {""}
    num_unnamed = sum(speaker == "" for speaker in text.speakers)
    named = "person is named as a speaker" if len(speakers) == 1 else "people are named as speakers"
    if num_utterances < FEW_UTTERANCES:
        were = "was" if num_utterances == 1 else "were"
        found.append(
            Caution(
                "few utterances",
                f"Only {counted(num_utterances, 'utterance')} {were} scored: the figure would move a lot with other "
                "ones.",
            )
        )
    if not speakers:
        found.append(
            Caution("speakers unknown", "Nobody said who speaks, so the figure cannot be told apart by speaker.", False)
        )
    elif len(speakers) == 1 and not num_unnamed:
        found.append(
            Caution("one speaker", "Everything was said by one person: other people may be heard far worse or better.")
        )
    elif len(speakers) < FEW_SPEAKERS:
        found.append(
            Caution(
                "few speakers",
                f"Only {len(speakers)} {named} here: "
                + (
                    "too few to say how far other speakers may differ."
                    if len(set(text.speakers)) < FEW_UNITS
                    else "the range for other speakers is a rough figure."
                ),
                serious=False,
            )
        )
    if speakers and num_unnamed:
        they_count = "it counts" if num_unnamed == 1 else "they count"
        found.append(
            Caution(
                "some speakers unknown",
                f"Nobody said who speaks in {counted(num_unnamed, 'utterance')}; {they_count} as one more speaker.",
                serious=False,
            )
        )
    return found


def _about_output(contents: ReportContents) -> list[Caution]:
    found = []
    num_utterances = len(contents.text.utterance_ids)
    num_silent = len(set(contents.scorecard.empty_hypotheses) - set(contents.scorecard.empty_references))
    if num_silent > 0.05 * num_utterances:
        found.append(
            Caution(
                "often wrote nothing",
                f"The recogniser wrote nothing at all for {num_silent:,} of {num_utterances:,} utterances: "
                "it has not learned enough yet, or the recordings are not what it was trained on.",
            )
        )
    written, said = set(contents.text.hypotheses) - {""}, set(contents.text.references)
    if num_utterances >= MANY_ENOUGH and written and len(written) < 0.1 * len(said):
        lines = "1 line" if len(written) == 1 else f"{len(written):,} different lines"
        found.append(
            Caution(
                "writes the same over and over",
                f"For {len(said):,} different sentences the recogniser wrote only {lines}: "
                "it has not learned to listen yet. Train longer, or on more speech.",
            )
        )
    if num_empty := len(contents.scorecard.empty_references):
        found.append(
            Caution(
                "empty references",
                f"{counted(num_empty, 'reference')} {'is' if num_empty == 1 else 'are'} empty; "
                "whatever was heard there counts as inserted.",
                serious=False,
            )
        )
    return found
