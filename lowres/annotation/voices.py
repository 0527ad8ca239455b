"""The text inside subtitles: tags of formatting, WebVTT's voices (`<v Name>`) and its entities."""

import re

_SRT_TAG = re.compile(r"</?(?:i|b|u|s|em|strong|font)(?:\s[^<>]*+)?+>|\{\\an?[0-9]{1,2}\}", re.IGNORECASE)
_VTT_TAG = re.compile(
    r"</?(?:c|i|b|u|ruby|rt|lang)(?:\.[^\s<>.]++)*+(?:\s[^<>]*+)?+>|<(?:[0-9]{2,9}:)?[0-9]{2}:[0-9]{2}\.[0-9]{3}>"
)
_VOICE = re.compile(r"<v(?:\.[^\s<>.]++)*+(?:\s([^<>]*+))?+>|</v>")
_ENTITY = re.compile(r"&(?:(amp|lt|gt|nbsp|lrm|rlm|quot)|#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "nbsp": "\u00a0", "lrm": "\u200e", "rlm": "\u200f", "quot": '"'}


def plain_srt(text: str) -> str:
    """Return SubRip's text without the known tags of formatting; anything else in brackets is the transcriber's."""
    return _SRT_TAG.sub("", text)


def formatting(text: str) -> bool:
    """Return whether SubRip's text holds tags, which would not be read back."""
    return _SRT_TAG.search(text) is not None


def split_voices(text: str) -> dict[str, str]:
    """Return what each voice says in a WebVTT cue, "" being none, as plain text.

    Where a cue has one voice, its text stays as it is; the pieces of several lose the white space around them,
    and those of the same voice are joined by line breaks.
    """
    pieces: list[tuple[str, str]] = []
    voice, position = "", 0
    for tag in _VOICE.finditer(text):
        pieces.append((voice, _plain(text[position : tag.start()])))
        voice, position = _decode(" ".join((tag[1] or "").split())), tag.end()
    pieces.append((voice, _plain(text[position:])))
    spoken = [(name, piece) for name, piece in pieces if piece.strip()]
    if len(spoken) == 1:
        return dict(spoken)
    found: dict[str, list[str]] = {}
    for name, piece in spoken:
        found.setdefault(name, []).append(piece.strip())
    return {name: "\n".join(said) for name, said in found.items()}


def escape_cue(text: str, voice: str) -> str:
    """Return text and voice ("" = none) as the text of a WebVTT cue, from which `split_voices` gives them back.

    A blank line would end the cue, so that line breaks become &#10; where there is one.
    """
    escaped = _escape(text).replace("\r", "&#13;")
    if "\n\n" in f"\n{escaped}\n":
        escaped = escaped.replace("\n", "&#10;")
    name = " ".join(voice.split())
    return f"<v {_escape(name)}>{escaped}" if name else escaped


def _plain(text: str) -> str:
    return _decode(_VTT_TAG.sub("", text))


def _decode(text: str) -> str:
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: "re.Match[str]") -> str:
    if entity[1]:
        return _NAMED[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    # Half a letter (a surrogate) or a number beyond Unicode stays as it is written.
    return chr(code) if code < 0xD800 or 0xE000 <= code <= 0x10FFFF else entity[0]


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
