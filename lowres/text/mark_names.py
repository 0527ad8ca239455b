"""What combining marks, tone letters and modifier letters usually write, in a linguist's words."""

import unicodedata

from lowres.text.marks import is_mark

_TONE = {
    "\u0300": "grave: usually low tone", "\u0301": "acute: usually high tone",
    "\u0302": "circumflex: usually falling tone",
    "\u0304": "macron: usually mid tone or length", "\u030c": "caron: usually rising tone",
    "\u030b": "double acute: usually extra high tone", "\u030f": "double grave: usually extra low tone",
    "\u030d": "vertical line: usually mid tone", "\u1dc4": "macron and acute: a contour tone",
    "\u1dc5": "grave and macron: a contour tone", "\u1dc6": "macron and grave: a contour tone",
    "\u1dc7": "acute and macron: a contour tone", "\u1dc8": "grave, acute, grave: a contour tone",
    "\u1dc9": "acute, grave, acute: a contour tone", "\u2191": "upstep", "\u2193": "downstep",
    "\u2197": "global rise", "\u2198": "global fall",
}  # fmt: skip
_OTHER = {
    "\u0303": "tilde: usually nasal", "\u0328": "ogonek: usually nasal", "\u0361": "tie bar: two letters, one sound",
    "\u035c": "tie bar below: two letters, one sound", "\u0325": "ring below: voiceless", "\u030a": "ring above",
    "\u0329": "stroke below: syllabic", "\u0323": "dot below: makes another letter",
    "\u032a": "bridge: dental", "\u033b": "square below: laminal", "\u0324": "two dots below: breathy voice",
    "\u0330": "tilde below: creaky voice", "\u0331": "line below", "\u0308": "diaeresis", "\u0327": "cedilla",
    "\u0306": "breve: extra short", "\u031a": "no audible release", "\u032f": "not syllabic", "\u032c": "voiced",
    "\u02b0": "aspirated", "\u02b7": "labialised", "\u02b2": "palatalised", "\u02e0": "velarised",
    "\u02e4": "pharyngealised", "\u207f": "nasal release or prenasal", "\u02d0": "long", "\u02d1": "half long",
    "\u02c8": "stress", "\u02cc": "secondary stress", "\u02bc": "ejective or glottal stop",
}  # fmt: skip


def writes_tone(mark: str) -> bool:
    """Tell whether a mark or sign usually writes tone: accents, tone letters, the arrows of the IPA."""
    return mark in _TONE or (is_mark(mark) and not unicodedata.category(mark).startswith("M"))


def is_sign(character: str) -> bool:
    """Tell whether a character belongs to a letter beside it: a mark, a tone sign, or a modifier letter such as ʰ."""
    return is_mark(character) or character in _TONE or unicodedata.category(character) == "Lm"


def describe_mark(mark: str) -> str:
    """Say what a mark, tone letter or modifier letter usually writes; its Unicode name where that is not known."""
    known = _TONE.get(mark) or _OTHER.get(mark)
    if known:
        return known
    name = unicodedata.name(mark, f"U+{ord(mark):04X}").lower()
    return f"{name}: tone" if writes_tone(mark) else name
