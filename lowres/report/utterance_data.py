"""All utterances of a report as compact data, for the page's script to sort, search and draw a few of at a time.

A report of 20,000 utterances has some 200,000 words. As elements they would be a page that no browser opens; as data
they are a few megabytes, of which the script draws what is near the window.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lowres.report.contents import ReportContents
from lowres.report.lines import Column, Letters, direction
from lowres.report.templating import CONTROLS
from lowres.scoring.confusions import Confusion
from lowres.scoring.error_kinds import ERROR_KINDS, ErrorKind

KIND_NAMES: Final[Mapping[ErrorKind, str]] = {
    "tone": "tone marks alone",
    "length": "length alone",
    "diacritic": "other marks alone",
    "boundary": "word boundaries alone",
    "added": "words added",
    "left out": "words left out",
    "other": "other letters",
}
"""Each kind of error as the reader knows it."""

_SHORT_NAMES: Final[Mapping[ErrorKind, str]] = {"diacritic": "marks", "boundary": "boundaries", "other": "letters"}


def utterance_data(
    contents: ReportContents,
    lines: Sequence[Sequence[Column]],
    *,
    embedded: Sequence[int],
    linked: Mapping[int, str],
    sets: Sequence[Confusion],
) -> dict[str, Any]:
    """Return what the script knows of N utterances, one list entry each unless said otherwise.

    Args:
        contents: everything the report says.
        lines: (N,) the words of each utterance, said and heard.
        embedded: numbers of the utterances whose recordings stand in the page.
        linked: addresses, by number, of recordings beside the page.
        sets: what buttons of the page list the utterances of; the button names its place here.
    """
    text, card = contents.text, contents.scorecard
    speakers = sorted(set(text.speakers))
    places = {speaker: place for place, speaker in enumerate(speakers)}
    return {
        "language": contents.provenance.language_code,
        "controls": CONTROLS.pattern,
        "kinds": [short_name(kind) for kind in ERROR_KINDS],
        "speakers": speakers,
        "ids": list(text.utterance_ids),
        "speaker": [places[speaker] for speaker in text.speakers],
        "seconds": [round(seconds, 2) for seconds in text.durations_seconds],
        "word_errors": [alignment.num_errors for alignment in card.word_alignments],
        "num_words": [alignment.num_reference for alignment in card.word_alignments],
        "letter_errors": [alignment.num_errors for alignment in card.character_alignments],
        "num_letters": [alignment.num_reference for alignment in card.character_alignments],
        "kind_bits": [_bits(kinds) for kinds in card.error_kinds.by_utterance],
        "right_to_left": _right_to_left(contents),
        "lines": [[_packed(column) for column in line] for line in lines],
        "embedded": list(embedded),
        "linked": {str(number): address for number, address in linked.items()},
        "sets": [list(confusion.utterances) for confusion in sets],
    }


def short_name(kind: ErrorKind) -> str:
    """Return the word or two that an utterance with such an error is tagged with."""
    return _SHORT_NAMES.get(kind, kind)


def _bits(kinds: Mapping[ErrorKind, int]) -> int:
    return sum(1 << place for place, kind in enumerate(ERROR_KINDS) if kinds.get(kind))


def _right_to_left(contents: ReportContents) -> list[int]:
    text = contents.text
    pairs = enumerate(zip(text.references, text.hypotheses, strict=True))
    return [number for number, (said, heard) in pairs if direction(said or heard) == "rtl"]


def _packed(column: Column) -> str | list[Any]:
    """Write a column as the script reads it.

    A word heard right is a string; one left out is [word], one added is [0, word]; a changed one is [said, heard],
    each cut into pieces that are in turn like and unlike the other line.
    """
    match column.operation:
        case "equal":
            return _joined(column.said)
        case "delete":
            return [_joined(column.said)]
        case "insert":
            return [0, _joined(column.heard)]
        case "substitute":
            return [_alternating(column.said), _alternating(column.heard)]


def _joined(letters: Sequence[Letters]) -> str:
    return "".join(run.text for run in letters)


def _alternating(letters: Sequence[Letters]) -> list[str]:
    runs = [run.text for run in letters]
    return ["", *runs] if letters and letters[0].differ else runs
