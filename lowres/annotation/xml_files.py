"""XML of unknown origin: parsed without document types or entities, so that no file can grow or fetch another."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from lowres.annotation.files import read_bytes
from lowres.errors import CorpusError


@dataclass(frozen=True)
class XmlKind:
    """A kind of XML file, for the sentences that refuse what is none of it.

    Attributes:
        element: its outermost element.
        name: of the kind with its article, such as "an ELAN file".
        program: that writes it.
        remedy: what to do with a file that is empty or damaged.
    """

    element: str
    name: str
    program: str
    remedy: str


class PlainTreeBuilder(ET.TreeBuilder):
    """Builds the tree of a file that declares nothing: expat calls `doctype` before it reads any declaration."""

    def doctype(self, _name: str, _public_id: str | None, _address: str | None) -> None:
        """Refuse a document type."""
        raise ValueError("the file declares a document type")


def read_xml(path: Path, kind: XmlKind) -> ET.Element:
    """Return the outermost element of a file; nothing else is opened, whatever it names.

    Raises:
        CorpusError: it cannot be read, is not XML, is of another kind, or declares a document type or entities.
    """
    contents = read_bytes(path)
    if not contents.strip():
        raise CorpusError(f"{path} is empty.", f"Take the file from a backup{kind.remedy}.")
    # Looked for before parsing, because expat goes on to the end of what it was given although a handler refused. The
    # search is enough, since expat reads only encodings with ASCII's letters (in UTF-16 with zero bytes between them);
    # the handler stands behind it, should that ever change.
    letters = contents.replace(b"\x00", b"")
    if b"<!DOCTYPE" in letters or b"<!ENTITY" in letters:
        raise _declares(path, kind)
    try:
        root: ET.Element = ET.fromstring(contents, ET.XMLParser(target=PlainTreeBuilder()))
    except ET.ParseError as error:
        raise CorpusError(
            f"{path} is not {kind.name}, or a damaged one: line {error.position[0]}: {expat.ErrorString(error.code)}.",
            f"Open it in {kind.program} and save it again, or take it from a backup{kind.remedy}.",
        ) from error
    except (ValueError, LookupError) as error:
        if "document type" in str(error):
            raise _declares(path, kind) from error
        raise CorpusError(
            f"{path} is in an encoding that cannot be read: {error}.",
            f"Open it in {kind.program} and save it again, as UTF-8.",
        ) from error
    if root.tag != kind.element:
        raise CorpusError(
            f"{path} is not {kind.name}: it begins with <{root.tag[:60]}>, not with <{kind.element}>.",
            f"Give a file that {kind.program} saved.",
        )
    return root


def text_of(element: ET.Element | None) -> str:
    """Return all the text in an element, that in elements inside it included; "" where there is no element."""
    if element is None:
        return ""
    return "".join(element.itertext()) if len(element) else element.text or ""


def _declares(path: Path, kind: XmlKind) -> CorpusError:
    return CorpusError(
        f"{path} declares a document type or entities, which no file of {kind.program} does, and is not read.",
        f"Ask where the file comes from; open it in {kind.program} and save it again if you trust it.",
    )
