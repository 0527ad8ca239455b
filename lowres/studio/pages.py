"""How the studio's pages are made: the templates, the style sheet of the reports, and errors as sentences."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from lowres.errors import LowresError
from lowres.report.data_checks import CHECK_WORDS
from lowres.report.templating import make_environment, style_sheet

_TEMPLATES: Final = Path(__file__).parent / "templates"
_STATUS_OF_ERROR: Final = 422
_SENTENCES: Final = {
    404: "There is no such page in the studio.",
    405: "This page cannot be asked that way.",
    413: "That is more than the studio takes.",
}


class Renderer:
    """Makes pages out of templates.

    Args:
        shared: what every template may name.
    """

    def __init__(self, **shared: Any) -> None:
        self._environment = _make_environment()
        self._environment.globals.update(shared)
        self.style = str(style_sheet("style.css")) + (_TEMPLATES / "studio.css").read_text(encoding="utf-8")
        self.script = (_TEMPLATES / "studio.js").read_text(encoding="utf-8")

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Make a page; a lone surrogate, which UTF-8 cannot hold, is shown as its escape."""
        content = self._environment.get_template(template).render(**context)
        return HTMLResponse(content.encode("utf-8", "backslashreplace"), status)

    def error(self, message: str, hint: str = "", *, status: int = _STATUS_OF_ERROR, typed: str = "") -> Response:
        """Make a page that says what is wrong and what to do, and shows what was typed and is saved nowhere."""
        return self.page("error.html.jinja", status=status, message=message, hint=hint, typed=typed)

    def lowres_error(self, _request: Request, error: Exception) -> Response:
        """Answer for what a user can cause."""
        assert isinstance(error, LowresError)
        return self.error(error.message, error.hint)

    def http_error(self, _request: Request, error: Exception, *, typed: str = "") -> Response:
        """Answer for addresses that are none."""
        assert isinstance(error, HTTPException)
        return self.error(_SENTENCES.get(error.status_code, error.detail), status=error.status_code, typed=typed)


def _make_environment() -> Environment:
    environment = make_environment()
    own = FileSystemLoader(_TEMPLATES, encoding="utf-8")
    environment.loader = ChoiceLoader([own, environment.loader] if environment.loader else [own])
    environment.filters["clock"] = _clock
    environment.globals.update(pairs=_pairs, titles={name: words.title for name, words in CHECK_WORDS.items()})
    return environment


def _pairs(counted: Mapping[str, int], titles: Mapping[str, str] = MappingProxyType({})) -> list[tuple[str, str]]:
    """Return what a list to choose from offers: each name, and how often there is what it stands for."""
    return [(name, f"{titles.get(name, name)} ({number:,})") for name, number in counted.items()]


def _clock(seconds: float) -> str:
    """Print a time of a recording: "1:02.5", "1:00:02.5"."""
    minutes, rest = divmod(int(seconds * 10) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
