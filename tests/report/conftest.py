"""A made-up evaluation, small and with something of everything a report shows."""

import unicodedata
from collections.abc import Callable

import pytest

from lowres.report.contents import Provenance, ReportContents, SplitFacts, TrainingOverlap
from lowres.scoring.scorecard import ScoredText, score

PAIRS = [
    ("wáa dzé la mwána", "wáa dze la mwána", "Wáa dzé la mwána."),
    ("okwɛɛngɛ́ mbía", "okwɛngɛ mbia", "Okwɛɛngɛ́, mbía!"),
    ("bísi lekyéndɛ́", "bísile kyɛndɛ́", "Bísi lekyéndɛ́"),
    ("a", "a", "A."),
    ("", "yé", "..."),
    ("ómbósi adi", "", "Ómbósi adi"),
]

MakeContents = Callable[..., ReportContents]


def split_letters(text: str) -> list[str]:
    """A letter with the marks after it."""
    letters: list[str] = []
    for character in text:
        if unicodedata.combining(character) and letters:
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def make_contents(
    pairs: list[tuple[str, str, str]] = PAIRS,
    *,
    speakers: list[str] | None = None,
    shared_speakers: tuple[str, ...] = (),
    num_shared_sentences: int = 0,
    **changes: object,
) -> ReportContents:
    """Build contents from (reference, hypothesis, transcript as written) triples."""
    number = len(pairs)
    text = ScoredText(
        utterance_ids=[f"utterance-{i:03d}" for i in range(number)],
        speakers=speakers or [("martial", "abiayi", "kouarata")[i % 3] for i in range(number)],
        durations_seconds=[1.5 + 1.7 * (i % 5) for i in range(number)],
        references=[reference for reference, _, _ in pairs],
        raw_references=[raw for _, _, raw in pairs],
        hypotheses=[hypothesis for _, hypothesis, _ in pairs],
    )
    provenance = {
        "language": "Mboshi",
        "language_code": "mdw",
        "corpus_name": "mboshi",
        "run_name": "finetune-1h-seed1",
        "split": "test",
        "synthetic": False,
        "text_rules": ("Unicode NFC", "lower-case", "punctuation removed, but not ' and -"),
        "facts": (("Recipe hash", "0123abcd"), ("Seed", "1")),
    }
    overlap = TrainingOverlap(len(set(text.speakers)), shared_speakers, number, num_shared_sentences)
    facts = {key: changes.pop(key) for key in ("dev_chose_checkpoint", "num_excluded", "unwritable") if key in changes}
    return ReportContents(
        text=text,
        scorecard=score(text, training_counts={"wáa": 12, "la": 3, "a": 1}, split_graphemes=split_letters),
        provenance=Provenance(**(provenance | changes)),  # type: ignore[arg-type]
        split_facts=SplitFacts(overlap, **facts),  # type: ignore[arg-type]
    )


@pytest.fixture(name="make_contents", scope="session")
def make_contents_fixture() -> MakeContents:
    """`make_contents`, for tests to call with their own pairs and changes."""
    return make_contents


@pytest.fixture(name="split_letters")
def split_letters_fixture() -> Callable[[str], list[str]]:
    """Cuts a word into letters with their marks."""
    return split_letters
