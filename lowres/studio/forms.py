"""What a browser sends with a form, read up to a limit."""

from typing import Final
from urllib.parse import parse_qs, quote, unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_LARGEST_FORM: Final = 2_000_000
_MOST_FIELDS: Final = 20
_AUTHOR_COOKIE: Final = "lowres-author"
_A_YEAR: Final = 31_536_000


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form; of two of one name the last.

    Raises:
        HTTPException: it is larger than a form can be, or none.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise HTTPException(400, "This is no form that the studio made.") from error
    return {name: values[-1] for name, values in fields.items()}


def remembered_author(request: Request) -> str:
    """Return the name that was last given with a correction in this browser; "" for none."""
    return unquote(request.cookies.get(_AUTHOR_COOKIE, ""))


def remember_author(response: Response, author: str) -> None:
    """Keep a name for the next correction."""
    response.set_cookie(_AUTHOR_COOKIE, quote(author), max_age=_A_YEAR, httponly=True, samesite="strict")
