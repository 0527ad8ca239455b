"""Reads the transcripts of Transcriber (.trs): XML of episodes, sections, turns and moments (its trans-14.dtd)."""

import codecs
import re
from collections import Counter
from pathlib import Path
from xml.parsers import expat

from lowres.annotation.files import decode_text, read_bytes
from lowres.annotation.tiers import AnnotationFile, MediaLink, Tier
from lowres.annotation.times import in_order
from lowres.annotation.transcriber_turns import TurnReader
from lowres.errors import CorpusError

# Only what transcribers wrote in: Python's list of codecs has others (punycode, unicode_escape) that are no encodings
# of files, and take quadratic time.
_ENCODINGS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-\d+|cp(125\d|437|85\d|866|874|932|936|949|950)|koi8-[rut]|mac-\w+|tis-620"
    r"|gb2312|gbk|gb18030|big5(hkscs)?|shift_jis|euc_(jp|kr)|iso2022_(jp|kr)"
)
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._\-]{0,40})["']""")


def read_transcriber(path: Path) -> AnnotationFile:
    """Read a transcript, one tier a speaker, named after the speaker, who is its participant too.

    An annotation reaches from one moment (Sync) of a turn to the next, or to the turn's end; where nothing is said,
    there is none. Where several speak at once, each gets their own words. White space around and between lines, which
    belongs to the XML, becomes single spaces. Speech of nobody in particular goes to the tier "no speaker".
    `audio_filename` is the recording, usually without its suffix. The document type that every file names is never
    fetched.

    Raises:
        CorpusError: no Transcriber file, XML that is damaged or declares entities, or times that cannot be
            read, with the line.
    """
    text, notes = _decode(read_bytes(path), path)
    turns = TurnReader(path)
    _parse(text, path, turns)
    if not turns.is_transcript:
        raise CorpusError(f"{path} is XML, but not of Transcriber.", "Its first element must be <Trans>.")
    tiers = []
    bearers = Counter(turns.names.values())
    for speaker, annotations in turns.annotations.items():
        name = turns.names.get(speaker, speaker)
        tier_name = f"{name} ({speaker})" if bearers[name] > 1 else name or "no speaker"
        tiers.append(Tier(tier_name, in_order(annotations), participant=name, language=turns.language))
    media = (MediaLink(turns.audio),) if turns.audio else ()
    return AnnotationFile(tuple(tiers), media, notes=notes + turns.notes())


def _decode(contents: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    """Decode as the XML declaration says, unless a byte order mark says otherwise."""
    declared = _DECLARED.match(contents[:400])
    if declared is None:
        return decode_text(contents, path)
    name = declared[1].decode("ascii")
    try:
        known = codecs.lookup(name).name
    except LookupError:
        known = ""
    if not _ENCODINGS.fullmatch(known):
        raise CorpusError(f"{path}: line 1 names an unknown encoding, {name!r}.", "Save the file as UTF-8.")
    try:
        return contents.decode(known), ()
    except UnicodeDecodeError as error:
        line = contents.count(b"\n", 0, error.start) + 1
        raise CorpusError(
            f"{path}: line {line} holds bytes that are not {name}, which line 1 says the file is.",
            "Correct the encoding that line 1 names, or save the file as UTF-8 with a first line that says so.",
        ) from error


def _parse(text: str, path: Path, turns: TurnReader) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def place() -> str:
        return f"{path}: line {parser.CurrentLineNumber}"

    def refuse_subset(_name: str, _system: str | None, _public: str | None, has_internal_subset: bool) -> None:
        if has_internal_subset:
            raise CorpusError(
                f"{place()} declares its own document type, which no Transcriber file does.",
                'Leave only <!DOCTYPE Trans SYSTEM "trans-14.dtd"> of it.',
            )

    def refuse_entity(name: str, _is_parameter: bool) -> None:
        raise CorpusError(f"{place()} has an unknown entity, {name[:40]!r}.", "Write the letter itself instead.")

    parser.StartDoctypeDeclHandler = refuse_subset
    # Expat drops entities that an outside document type might declare, without a word; here they are an error.
    parser.SkippedEntityHandler = refuse_entity
    parser.StartElementHandler = lambda name, attributes: turns.start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = turns.end
    parser.CharacterDataHandler = turns.text
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise CorpusError(
            f"{path}: line {error.lineno} is not correct XML: {expat.ErrorString(error.code)}.",
            "Open the file in Transcriber and save it again, or correct that line.",
        ) from error
