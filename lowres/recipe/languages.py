"""The languages of the world by name and code: what `[language]` of a recipe is chosen from.

Names and codes of ISO 639-3 come with the library python-iso639, Glottocodes and the names of dialects with
`glottolog.tsv` (Glottolog 4.0, CC BY 4.0; the file says more). Both are read when somebody searches, and not before.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

GLOTTOLOG_FILE: Final = Path(__file__).with_name("glottolog.tsv")
GLOTTOCODE: Final = re.compile(r"[a-z0-9]{4}[0-9]{4}")
ISO_CODE: Final = re.compile(r"[a-z]{3}")

_NO_LANGUAGES: Final = frozenset({"mis", "mul", "und", "zxx"})
_NEAR_ENOUGH: Final = 0.8
_SAYING_LITTLE: Final = frozenset({
    "central", "coastal", "east", "eastern", "language", "lower", "middle", "north", "northern", "sign", "south",
    "southern", "upper", "west", "western",
})  # fmt: skip
"""Words of many names: two languages that share one need have nothing else in common."""

_WORD: Final = re.compile(r"\w+")
_REMARK: Final = re.compile(r"\s*\([^()]*\)")


@dataclass(frozen=True, order=True)
class Language:
    """A language or a dialect.

    Attributes:
        name: as people who write English call it.
        iso_639_3: its code; of a dialect without one, its language's; "" where there is none.
        glottocode: its own; "" where it is not known.
        part_of: the language that a dialect belongs to; "" for a language.
    """

    name: str
    iso_639_3: str = ""
    glottocode: str = ""
    part_of: str = ""


@dataclass(frozen=True)
class _Named:
    language: Language
    names: tuple[str, ...]
    """Folded."""


def search_languages(query: str, *, most: int = 9) -> list[Language]:
    """Find languages and dialects by name or code; the likeliest comes first.

    Args:
        query: an ISO 639-3 code, a Glottocode or (a part of) a name; case and accents do not matter, and a name may be
            misspelt a little.
        most: as many at the most.
    """
    wanted = fold_name(query)
    if not wanted:
        return []
    of_code = find_by_code(wanted)
    ranks = ((_rank(wanted, one.names), one.language) for one in _table() if len(wanted) > 1)
    ranked = sorted((_order(rank, language), language) for rank, language in ranks if rank is not None)
    found = [*([of_code] if of_code else []), *(language for _, language in ranked)]
    return list(dict.fromkeys(found or _spelt_alike(wanted)))[:most]


def _order(rank: int, language: Language) -> tuple[int, bool, bool, int, str]:
    """Put what fits better first, then languages before dialects and groups, then short names."""
    name = without_remark(language.name)
    return rank, bool(language.part_of), not language.glottocode, len(name), language.name


def find_by_code(code: str) -> Language | None:
    """Return the language of an ISO 639-3 code or a Glottocode; None where there is none."""
    if ISO_CODE.fullmatch(code):
        # Languages stand before the dialects that share their code.
        return next((one.language for one in _table() if code == one.language.iso_639_3), None)
    return next((one.language for one in _table() if code == one.language.glottocode), None)


def _rank(wanted: str, names: tuple[str, ...]) -> int | None:
    """Say how well a name fits: 0 the whole name, 1 its first words, 2 whole words, 3 its beginning, 4 a part."""
    ranks = []
    for name in names:
        if wanted not in name and not set(wanted.split()) <= set(_WORD.findall(name)):
            continue
        if name == wanted:
            ranks.append(0)
        elif name.startswith(f"{wanted} "):
            ranks.append(1)
        elif set(wanted.split()) <= set(_WORD.findall(name)):
            ranks.append(2)
        elif name.startswith(wanted):
            ranks.append(3)
        elif len(wanted) > 3:
            ranks.append(4)
    return min(ranks, default=None)


def _spelt_alike(wanted: str) -> list[Language]:
    by_name: dict[str, list[Language]] = {}
    for one in _table():
        for name in one.names:
            by_name.setdefault(name, []).append(one.language)
    alike = difflib.get_close_matches(wanted, by_name, n=6, cutoff=_NEAR_ENOUGH)
    found = [language for name in alike for language in by_name[name]]
    words = {word for word in wanted.split() if len(word) > 3} - _SAYING_LITTLE
    sharing = [one.language for one in _table() if any(words & set(_WORD.findall(name)) for name in one.names)]
    return found + sorted(sharing, key=lambda one: _order(0, one))


@cache
def _table() -> tuple[_Named, ...]:
    """Join both tables: a language has the names that either gives it."""
    glottolog = list(_read_glottolog())
    by_iso = {row[2]: row for row in glottolog if row[2]}
    names_of = {row[0]: row[1] for row in glottolog}
    iso_of = {row[0]: row[2] for row in glottolog}
    listed = []
    for code, names in _read_iso():
        row = by_iso.get(code)
        own = (*names, row[1]) if row else names
        listed.append(_Named(Language(names[0], code, row[0] if row else ""), _spellings(own)))
    known = {one.language.iso_639_3 for one in listed}
    for glottocode, name, code, parent in glottolog:
        if code not in known:
            part_of = names_of.get(parent, "")
            language = Language(name, code or iso_of.get(parent, ""), glottocode, part_of)
            listed.append(_Named(language, _spellings([name])))
    return tuple(listed)


def _read_iso() -> Iterator[tuple[str, tuple[str, ...]]]:
    import iso639  # a third of a second: only for who searches

    for one in iso639.ALL_LANGUAGES:
        if one.status == "A" and one.part3 not in _NO_LANGUAGES:
            others = [name for other in one.other_names or [] for name in (other.print, other.inverted)]
            yield one.part3, (one.name, *others)


def _read_glottolog() -> Iterator[tuple[str, str, str, str]]:
    """Yield glottocode, name, ISO 639-3 code and, of a dialect, its language."""
    for line in GLOTTOLOG_FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            glottocode, name, code, parent = [*line.split("\t"), "", ""][:4]
            yield glottocode, name, code, parent


def _spellings(names: Sequence[str]) -> tuple[str, ...]:
    """Fold names, and add each without the remark that tables put behind it, as in Malay (individual language)."""
    return tuple(dict.fromkeys(fold_name(form) for name in names for form in (name, without_remark(name))))


def without_remark(name: str) -> str:
    """Leave out what tables put behind a name in brackets."""
    return _REMARK.sub("", name)


def fold_name(name: str) -> str:
    """Return a name in small letters without accents, to compare it."""
    apart = unicodedata.normalize("NFD", name.strip().casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))
