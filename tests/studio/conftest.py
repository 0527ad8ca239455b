"""What tests of the studio ask for: a project with a corpus, a studio that is open, and a browser's way in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import open_studio
from visiting import Visitor
from working import make_project

from lowres.studio.server import Studio


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared project that nobody may change; see `working.make_project`."""
    return make_project(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    """A prepared project of one's own."""
    return make_project(tmp_path, like=prepared)


@pytest.fixture
def studio(project: Path) -> Iterator[Studio]:
    """A studio that is open, of `project`."""
    with open_studio(project) as opened:
        yield opened


@pytest.fixture
def visitor(studio: Studio) -> Visitor:
    """Somebody who was let in."""
    return Visitor(studio.port).enter(studio.keys.token)
