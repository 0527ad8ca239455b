"""Reads FLEx's interlinear texts (.flextext) where their phrases have times, as after work in ELAN or SayMore."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lowres.annotation.elan_media import path_from_url
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.annotation.times import LeftOut, in_order, note_without_recording, possible
from lowres.annotation.xml_files import XmlKind, read_xml
from lowres.errors import CorpusError

_KIND: Final = XmlKind("document", "a FLEx text", "FLEx", "")
_MILLISECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_NOT_TEXT: Final = ("segnum",)
_MOST_LANGUAGES: Final = 16
"""Of one phrase's words: nobody writes more, and a hostile file must not take quadratic time."""
_OPENING: Final = "([{“‘«‹¿¡„"
_CLOSING: Final = ")]}”’»›?!.,;:…"


@dataclass
class _Phrases:
    """What was read so far.

    Attributes:
        annotations: by the tier's kind (such as "txt"), language, speaker and recording.
        num_phrases, num_timed: of the file.
    """

    annotations: dict[tuple[str, str, str, str], list[Annotation]] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    num_phrases: int = 0
    num_timed: int = 0


def read_flextext(path: Path) -> AnnotationFile:
    """Read the phrases of a FLEx export that have times.

    The tiers are named by item and language, such as `txt-mdw` (the words as written), `gls-en` (the free
    translation), and by speaker where the file says who speaks: `txt-mdw@Ana`. Where a phrase has no text of its own,
    its words are put together, with the punctuation that stands among them. Words and morphemes have no times.

    Raises:
        CorpusError: no XML of FLEx, XML that declares a document type or entities, or no phrase with a time.
    """
    root = read_xml(path, _KIND)
    phrases = _Phrases()
    media: dict[str, MediaLink] = {}
    for text in root.iterfind("interlinear-text"):
        links = _read_media(text)
        named = {link.path: link for link in links.values()}
        media |= named
        only = next(iter(named)) if len(named) == 1 else ""
        for phrase in text.iter("phrase"):
            link = links.get(phrase.get("media-file", ""))
            _read_phrase(phrase, link.path if link is not None else only, phrases)
    if not phrases.num_timed:
        raise CorpusError(
            f"{path} has no times: none of its {phrases.num_phrases:,} phrases says where in a recording it begins "
            "and ends.",
            "FLEx itself has no recordings: align the text in ELAN or SayMore, or export it from there.",
        )
    several = len(media) > 1
    tiers = tuple(
        Tier(
            name=(f"{kind}-{language}" if language else kind) + (f"@{speaker}" if speaker else ""),
            annotations=in_order(annotations),
            participant=speaker,
            linguistic_type=kind,
            language=language,
            recording=recording if several else "",
        )
        for (kind, language, speaker, recording), annotations in phrases.annotations.items()
        if recording or not several
    )
    lost = sum(len(found) for (*_, recording), found in phrases.annotations.items() if several and not recording)
    return AnnotationFile(
        tiers,
        tuple(media.values()),
        notes=phrases.left_out.notes() + note_without_recording(lost) + _untimed(phrases),
    )


def _read_media(text: ET.Element) -> dict[str, MediaLink]:
    """Return the recordings of one text by their ids."""
    return {
        one.get("guid", ""): MediaLink(path_from_url(one.get("location", "")))
        for one in text.iterfind("media-files/media")
        if one.get("location", "").strip()
    }


def _read_phrase(phrase: ET.Element, recording: str, phrases: _Phrases) -> None:
    phrases.num_phrases += 1
    written = phrase.get("begin-time-offset", "").strip(), phrase.get("end-time-offset", "").strip()
    if not all(_MILLISECONDS.fullmatch(one) for one in written):
        return
    phrases.num_timed += 1
    start, end = float(written[0]) / 1000, float(written[1]) / 1000
    if not possible(start, end):
        phrases.left_out.add(start, end, f"phrase {phrases.num_phrases}")
        return
    for kind, language, text in _read_texts(phrase):
        key = (kind, language, phrase.get("speaker", "").strip(), recording)
        phrases.annotations.setdefault(key, []).append(Annotation(start, end, text))


def _read_texts(phrase: ET.Element) -> list[tuple[str, str, str]]:
    """Return kind, language and text of everything that is said of a whole phrase."""
    found = [
        (item.get("type", "item"), item.get("lang", ""), text)
        for item in phrase.iterfind("item")
        if (text := _text_in(item)) and item.get("type") not in _NOT_TEXT
    ]
    if any(kind == "txt" for kind, _, _ in found):
        return found
    return [("txt", language, text) for language, text in _join_words(phrase).items()] + found


def _join_words(phrase: ET.Element) -> dict[str, str]:
    """Put the words of a phrase together, for each of the languages (or scripts) that they are written in."""
    words = phrase.findall("words/word")
    languages = dict.fromkeys(
        item.get("lang", "") for word in words for item in word.iterfind("item") if item.get("type") == "txt"
    )
    written = list(languages)[:_MOST_LANGUAGES]
    return {language: _space([_word_in(word, language) for word in words]) for language in written}


def _word_in(word: ET.Element, language: str) -> str:
    items = word.findall("item")
    for item in items:
        if item.get("type") == "txt" and item.get("lang", "") == language:
            return _text_in(item)
    return next((_text_in(item) for item in items if item.get("type") == "punct"), "")


def _text_in(item: ET.Element) -> str:
    """Return an item's text, with that of the runs in it that newer versions write; but no deeper, to stay linear."""
    return "".join([item.text or "", *(f"{run.text or ''}{run.tail or ''}" for run in item)]).strip()


def _space(words: list[str]) -> str:
    """Write words with spaces between them, but for punctuation that leans on its neighbour."""
    text = ""
    for word in words:
        leans = not text or text[-1] in _OPENING or word[:1] in _CLOSING
        text += word if leans or not word else f" {word}"
    return text


def _untimed(phrases: _Phrases) -> tuple[str, ...]:
    missing = phrases.num_phrases - phrases.num_timed
    return (f"{missing} of {phrases.num_phrases} phrases have no times and were left out.",) if missing else ()
