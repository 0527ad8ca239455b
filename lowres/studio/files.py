"""Which files of a project may be shown: report pages and what lies beside them, and never one outside the project."""

from pathlib import Path
from typing import Final

from lowres.corpora.files import is_inside
from lowres.errors import CorpusError

PAGE_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".tsv": "text/plain; charset=utf-8",
    ".csv": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
}
"""What of reports/ and of a run's own folder is shown, and as what; nothing else is."""

PAGE_POLICY: Final = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For report pages: their own scripts run, in an origin of their own, and reach neither the studio nor, other than by
leading the tab to another address, the network."""


def demand_inside(path: Path, project: Path) -> None:
    """Refuse what a link leads out of the project to.

    Raises:
        CorpusError: it does.
    """
    if not is_inside(path, project):
        raise CorpusError(
            f"{path.relative_to(project)} is a link that leads out of the project, and the studio shows nothing else.",
            "Put the folder itself where the link is, or start `lowres studio` in the project that it belongs to.",
        )


def find_page(project: Path, place: str) -> Path | None:
    """Return the file at a place of the project, if it is one that may be shown.

    Args:
        project: the folder. place: from an address, decoded; anything.
    """
    parts = place.split("/")
    if any(part.startswith(".") or not part or set(part) & set("\\\0:") for part in parts):
        return None
    of_reports = parts[0] == "reports" and len(parts) > 1
    of_run = parts[0] == "runs" and len(parts) == 3
    if not (of_reports or of_run) or Path(parts[-1]).suffix.lower() not in PAGE_TYPES:
        return None
    path = project.joinpath(*parts)
    try:
        return path if is_inside(path, project) and path.is_file() else None
    except OSError:  # a name that no file can have
        return None
