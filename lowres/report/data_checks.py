"""The checks of `lowres prepare` in a linguist's words: what each one means, and what to do about it."""

from dataclasses import dataclass
from typing import Final

SKIPPED: Final = "skipped"
"""The check that names what the reader could not use: files and stretches, not utterances."""


@dataclass(frozen=True)
class CheckWords:
    """A check's title, what it means that an utterance is named by it, and what to do; `of_text` needs transcripts."""

    title: str
    meaning: str
    remedy: str
    of_text: bool = False


CHECK_WORDS: Final[dict[str, CheckWords]] = {
    "unreadable": CheckWords(
        "Recordings that cannot be read", "The file is missing, damaged or no sound.", "Copy it again from its source."
    ),
    "empty-audio": CheckWords(
        "No audio", "The stretch holds no sound, or next to none.", "Look at its start and end in the annotation."
    ),
    "empty-text": CheckWords(
        "No text", "Nothing is left of the transcript after the text rules.", "Write it, or leave it.", of_text=True
    ),
    "too-long": CheckWords(
        "Very long utterances",
        "Long stretches cost much memory in training, and silence may be hidden in them.",
        "Cut them at pauses in the annotation.",
        of_text=True,
    ),
    "undeclared-symbols": CheckWords(
        "Letters outside the alphabet",
        "The transcript holds signs that the recipe’s alphabet does not have.",
        "Correct the transcript, add the letter to text.alphabet, or add a text rule.",
        of_text=True,
    ),
    "pace": CheckWords(
        "Spoken oddly fast or slowly",
        "The transcript has far more or fewer letters a second than usual: it may be of another recording, or of only "
        "a part of this one.",
        "Listen, and correct the transcript or the times.",
        of_text=True,
    ),
    "duplicate-text": CheckWords(
        "The same sentence by the same speaker",
        "Repetitions are no fault, but copies under another name are.",
        "Listen whether these are two recordings or one.",
        of_text=True,
    ),
    "misfit": CheckWords(
        "The transcript does not fit",
        "A recogniser hears something else: the transcript fits no better than that of another utterance would "
        "(lowres align --corpus).",
        "Listen, and correct the transcript.",
        of_text=True,
    ),
    "overlapping-speech": CheckWords(
        "Somebody else speaks too",
        "Another utterance of the same recording is spoken at the same time, and the transcript has one of the two.",
        "Choose a channel where speakers have one each (corpus.reader.channel), or leave these out (checks.drop).",
        of_text=True,
    ),
    "silent": CheckWords("Silence", "Nothing can be heard.", "Record it again, or leave it."),
    "clipped": CheckWords(
        "Recorded too loud", "The loudest sounds are cut off, which sounds harsh.", "Keep a lower level next time."
    ),
    "band-limited": CheckWords(
        "Like over a telephone",
        "There is nothing above a few thousand hertz: it came through a telephone, or was stored at 8 kHz.",
        "Look for a better copy of the recording.",
    ),
    "duplicate-audio": CheckWords(
        "The same audio twice",
        "Sample for sample, an earlier utterance has the same sound; with another text, one of the two is wrong.",
        "Take one of the two out.",
    ),
    "too-short-for-ctc": CheckWords(
        "Too short for the transcript",
        "There are more letters than so short a sound can hold, so training could not use it.",
        "Correct the times or the transcript.",
        of_text=True,
    ),
    "sentence-in-train": CheckWords(
        "Test sentences that are in training too",
        "Error rates on sentences that were trained on say little about new ones.",
        "Let lowres make the splits, which keeps sentences apart, or mind it when you quote the figure.",
        of_text=True,
    ),
    "vocabulary-changes-text": CheckWords(
        "Changed by the vocabulary",
        "The recogniser’s symbols cannot write the transcript as it is.",
        "Choose another vocabulary.kind in the recipe.",
        of_text=True,
    ),
    SKIPPED: CheckWords("Not read", "What could not become an utterance.", "See “What was lost where”."),
}
"""By the check's name in checks.tsv."""


def words_for(check: str) -> CheckWords:
    """Return the words for a check; of one that is not known, its name."""
    return CHECK_WORDS.get(check, CheckWords(check, "See checks.tsv.", ""))
