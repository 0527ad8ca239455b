"""A studio that is served in a thread of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from working import recipe_of

from lowres.studio.app import StudioOptions
from lowres.studio.server import Studio


@contextmanager
def open_studio(project: Path, *, largest_upload_bytes: int = 500_000_000) -> Iterator[Studio]:
    """Serve a project in a thread."""
    options = StudioOptions(
        project=project,
        open_recipe=lambda: recipe_of(project),
        largest_upload_bytes=largest_upload_bytes,
        detector="energy",
    )
    studio = Studio(options)
    thread = threading.Thread(target=studio.serve)
    thread.start()
    yield studio
    studio.stop()
    thread.join()
