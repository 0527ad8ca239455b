"""Where everything stands in the bytes of an ELAN file, so that something can be added without touching the rest."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from lowres.errors import CorpusError

# A start tag to its end: a ">" inside quotation marks is part of a value.
_START_TAG = re.compile(rb"""<[^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>""")
# The attributes that the schema calls ids, which have to differ from each other across all kinds of elements.
_IDS = frozenset(
    {
        "TIME_SLOT_ID", "ANNOTATION_ID", "LANG_ID", "LANGUAGE_CODE", "STEREOTYPE",
        "EXT_REF_ID", "LEX_REF_ID", "LINK_SET_ID", "REF_LINK_ID",
    }
)  # fmt: skip
_REFERENCES = frozenset({"ANNOTATION_REF", "PREVIOUS_ANNOTATION", "REF1", "REF2", "REFS"})


@dataclass(slots=True)
class ElanElement:
    """An element and its places, as numbers of bytes from the file's beginning."""

    attributes: dict[str, str]
    start: int
    content: int
    """Where its start tag ends."""

    content_end: int = -1
    """Where its end tag begins; `content` where it has none (`<TIER/>`)."""

    end: int = -1


@dataclass
class ElanLayout:
    """The places of what can be added to, in the order of the file.

    Attributes:
        contents: the file.
        encoding: of it, as its declaration says.
        root: ANNOTATION_DOCUMENT.
        children: of the root, by their names.
        properties, slots: the elements PROPERTY in HEADER, and TIME_SLOT in TIME_ORDER.
        ids: all that are taken.
        defined: of each tier, the ids of its annotations.
        referred: of each tier, the ids that its annotations refer to; the last set is of what is not in a tier.
    """

    contents: bytes
    encoding: str = "utf-8"
    root: ElanElement = field(default_factory=lambda: ElanElement({}, 0, 0))
    children: dict[str, list[ElanElement]] = field(default_factory=dict)
    properties: list[ElanElement] = field(default_factory=list)
    slots: list[ElanElement] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    defined: list[set[str]] = field(default_factory=list)
    referred: list[set[str]] = field(default_factory=lambda: [set()])

    def all(self, name: str) -> list[ElanElement]:
        """Return the root's children of one name."""
        return self.children.get(name, [])


def read_layout(contents: bytes, path: Path) -> ElanLayout:
    """Find the places in a file that `read_elan` could read.

    Places come from the XML parser, so that what looks like an element inside a comment, CDATA or an attribute is none.

    Args:
        contents: of the file.
        path: of it, for the errors.

    Raises:
        CorpusError: UTF-16, not XML, or a declared document type.
    """
    if 0 in contents[:4] or contents.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CorpusError(
            f"{path} is in UTF-16, which ELAN never writes, and nothing is added to it.",
            "Open it in ELAN and save it: that makes it UTF-8.",
        )
    reader = _LayoutReader(contents)
    try:
        reader.parser.Parse(contents, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise CorpusError(
            f"{path} cannot be added to: {error}.", "Open it in ELAN and save it again, or take it from a backup."
        ) from error
    return reader.layout


class _LayoutReader:
    """Follows the parser through the file; elements in a namespace have its name before theirs, as read_elan's do."""

    def __init__(self, contents: bytes) -> None:
        self.layout = ElanLayout(contents)
        self.parser = expat.ParserCreate(None, "}")
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._open: list[tuple[str, ElanElement]] = []

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.layout.encoding = encoding or "utf-8"

    def _refuse(self, *_said: object) -> None:
        raise ValueError("it declares a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self.parser.CurrentByteIndex
        tag = _START_TAG.match(self.layout.contents, start)
        if tag is None:
            raise ValueError(f"the parser was lost at byte {start}")
        element = ElanElement(attributes, start, tag.end())
        self._keep(name, element)
        self._open.append((name, element))

    def _end(self, _name: str) -> None:
        element = self._open.pop()[1]
        contents = self.layout.contents
        if contents[element.content - 2 : element.content] == b"/>":
            element.content_end = element.end = element.content
        else:
            element.content_end = self.parser.CurrentByteIndex
            element.end = contents.index(b">", element.content_end) + 1

    def _keep(self, name: str, element: ElanElement) -> None:
        layout, depth = self.layout, len(self._open)
        top = self._open[1][0] if depth > 1 else ""
        if depth == 0:
            layout.root = element
        elif depth == 1:
            layout.children.setdefault(name, []).append(element)
            if name == "TIER":
                layout.defined.append(set())
                layout.referred.insert(-1, set())
        elif depth == 2 and (top, name) == ("HEADER", "PROPERTY"):
            layout.properties.append(element)
        elif depth == 2 and (top, name) == ("TIME_ORDER", "TIME_SLOT"):
            layout.slots.append(element)
        for attribute, value in element.attributes.items():
            if attribute in _IDS:
                layout.ids.add(value.strip())
                if top == "TIER" and attribute == "ANNOTATION_ID":
                    layout.defined[-1].add(value.strip())
            elif attribute in _REFERENCES:
                layout.referred[-2 if top == "TIER" else -1].update(value.split())
