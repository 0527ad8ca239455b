"""What tests of ELAN's files share."""

from pathlib import Path

import pytest
from elan_documents import ReadEaf

from lowres.annotation.elan import read_elan
from lowres.annotation.tiers import AnnotationFile


@pytest.fixture
def read_eaf(tmp_path: Path) -> ReadEaf:
    """Return a function that writes a document to a file and reads it."""

    def read_document(contents: str | bytes) -> AnnotationFile:
        path = tmp_path / "story.eaf"
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return read_elan(path)

    return read_document
