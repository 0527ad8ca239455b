"""Finding utterances in a corpus: what is looked for, which rows that is, and a page of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from lowres.manifest.schema import FLAG_SEPARATOR, SPLITS
from lowres.studio.desk import OpenCorpus, Row, fold

ROWS_PER_PAGE: Final = 50
_LONGEST_QUERY: Final = 1000


@dataclass(frozen=True)
class Wanted:
    """What is looked for; "" looks for everything.

    Attributes:
        text: in the name, the transcript as written or after the rules; case and Unicode form do not matter.
        split, speaker, flag: one of the corpus. state: "corrected", "unused" (not trained on), or "".
        page: from 1.
    """

    text: str = ""
    split: str = ""
    speaker: str = ""
    flag: str = ""
    state: str = ""
    page: int = 1

    def address(self, **changes: object) -> str:
        """Return the part of an address that says what is looked for, with changes; "" where that is everything."""
        values = {**self.__dict__, **changes}
        kept = {name: str(value) for name, value in values.items() if value and (name, value) != ("page", 1)}
        return f"?{urlencode(kept, errors='replace')}" if kept else ""


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Read what is looked for from an address; what makes no sense is left out."""
    page = query.get("page", "")
    texts = {name: query.get(name, "")[:_LONGEST_QUERY] for name in ("text", "split", "speaker", "flag", "state")}
    return Wanted(**texts, page=max(1, int(page)) if page.isdecimal() and len(page) < 8 else 1)


@dataclass(frozen=True)
class Found:
    """A page of what was found.

    Attributes:
        rows: of the page. num_found: rows on all pages. page, num_pages: from 1.
    """

    rows: list[Row]
    num_found: int
    page: int
    num_pages: int


@dataclass(frozen=True)
class Catalogue:
    """A corpus that can be searched: what a search looks at is made once."""

    opened: OpenCorpus

    @cached_property
    def splits(self) -> dict[str, int]:
        """How many utterances each split has, in their usual order; "" stands for none."""
        counted = Counter(map(str, self.opened.columns["split"]))
        return {split: counted[split] for split in SPLITS if counted[split]}

    @cached_property
    def speakers(self) -> dict[str, int]:
        """How many utterances each speaker has, by name."""
        counted = Counter(map(str, self.opened.columns["speaker"]))
        return dict(sorted((name, number) for name, number in counted.items() if name))

    @cached_property
    def flags(self) -> dict[str, int]:
        """How many utterances each check found, by name."""
        flags = map(str, self.opened.columns["flags"])
        return dict(sorted(Counter(flag for cell in flags for flag in cell.split(FLAG_SEPARATOR) if flag).items()))

    def positions(self, wanted: Wanted) -> list[int]:
        """Return the positions of the rows that are looked for, in manifest order."""
        columns, history = self.opened.columns, self.opened.history
        found = list(range(len(columns["utterance_id"])))
        if wanted.text:
            text, haystack = fold(wanted.text), self.opened.haystack
            found = [n for n in found if text in haystack[n]]
        for name, value in (("split", wanted.split), ("speaker", wanted.speaker)):
            if value:
                found = [n for n in found if columns[name][n] == value]
        if wanted.flag:
            found = [n for n in found if wanted.flag in str(columns["flags"][n]).split(FLAG_SEPARATOR)]
        if wanted.state == "corrected":
            found = [n for n in found if columns["utterance_id"][n] in history]
        elif wanted.state == "unused":
            found = [n for n in found if not columns["included"][n]]
        return found

    def page(self, wanted: Wanted) -> Found:
        """Return the page that is looked for, or the last one where there are fewer."""
        positions = self.positions(wanted)
        num_pages = max(1, -(-len(positions) // ROWS_PER_PAGE))
        page = min(wanted.page, num_pages)
        shown = positions[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
        return Found([self.opened.row(position) for position in shown], len(positions), page, num_pages)

    def neighbours(self, wanted: Wanted, position: int) -> tuple[Row | None, Row | None]:
        """Return the rows before and after one, among those that are looked for."""
        positions = self.positions(wanted)
        before = next((n for n in reversed(positions) if n < position), None)
        after = next((n for n in positions if n > position), None)
        return tuple(None if n is None else self.opened.row(n) for n in (before, after))  # type: ignore[return-value]
