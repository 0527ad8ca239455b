"""Who may come in: only a browser on this machine that was given the address with the token, and only from our pages.

Another program on this machine does not know the token; a page elsewhere on the web can neither name our host (a name
that is made to lead to 127.0.0.1 is another name) nor send what changes something.
"""

import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response

ASGIApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]
]

TOKEN_BYTES: Final = 32
SAFE_METHODS: Final = ("GET", "HEAD")

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""On every answer that does not bring its own: report pages have a stricter policy."""


@dataclass
class Keys:
    """What opens the door.

    Attributes:
        token: in the address that is printed.
        first_token: in the address that the browser is started with, which other people on the machine may see among
            its processes: it opens once.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    first_token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))

    @property
    def session(self) -> str:
        """What the cookie holds: not the token, which could otherwise be read out of it."""
        return self.derive("cookie")

    @property
    def pages(self) -> str:
        """What stands in the addresses of report pages, which have no cookie since they are kept apart."""
        return self.derive("pages")

    def derive(self, purpose: str) -> str:
        """Return another secret, made of the token, for one purpose."""
        return hmac.new(self.token.encode(), purpose.encode(), sha256).hexdigest()

    def take(self, given: str) -> bool:
        """Say whether a token in an address is right, in a time that does not tell how much of it is."""
        is_first = is_same(given, self.first_token)
        if is_first:
            self.first_token = secrets.token_urlsafe(TOKEN_BYTES)
        return is_first or is_same(given, self.token)


def is_same(given: str, expected: str) -> bool:
    """Compare in constant time, whatever letters are given."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


class Gate:
    """The outermost layer of the studio: refuses, or lets in, and puts the headers on every answer.

    Args:
        app: what is behind it. keys: see `Keys`. port: that the server listens on.
    """

    def __init__(self, app: ASGIApp, keys: Keys, port: int) -> None:
        self._app, self._keys = app, keys
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        # Cookies know no ports: two studios would otherwise take each other's. A browser that visits another server on
        # this address sends it this one along; the token itself is not in it.
        self._cookie = f"lowres-studio-{port}"

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in present)]
            await send(message)

        answer = self._answer(scope)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _answer(self, scope: MutableMapping[str, Any]) -> Response | None:
        """Return the answer where it is for the gate to give; None lets the request through."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in ([host] for host in self._hosts):
            return _refuse(421, "This address is not the studio’s: use the one that lowres printed.")
        is_safe = scope["method"] in SAFE_METHODS
        if not is_safe and not self._is_from_our_pages(headers):
            return _refuse(403, "This request came from another page than the studio’s own, so nothing was changed.")
        if is_safe and scope["path"] == "/" and (given := _tokens(scope)):
            return self._let_in(headers, given)
        if is_safe and scope["path"].startswith("/pages/"):
            given_key = scope["path"].split("/")[2]
            return None if is_same(given_key, self._keys.pages) else _refuse(403, _NO_TOKEN)
        if not is_same(_cookie(headers, self._cookie), self._keys.session):
            return _refuse(403, _NO_TOKEN)
        return None

    def _is_from_our_pages(self, headers: Headers) -> bool:
        """Say whether a page of ours sent what changes something; a browser that says nothing about it is not let."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        own = [f"http://{host}" for host in headers.getlist("host")]
        # Under our policy of no referrer, browsers write "null" into the Origin of a form: the other header decides.
        if site is not None:
            return site == "same-origin" and (origin in (None, "null") or origin in own)
        return origin in own

    def _let_in(self, headers: Headers, given: str) -> Response:
        if not self._keys.take(given):
            return _refuse(403, _NO_TOKEN)
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            # From a link in a mail, say: a browser would not send the new cookie along with a redirection from there.
            response: Response = HTMLResponse(_BOUNCE)
        else:
            response = Response(status_code=303, headers={"Location": "/"})
        response.set_cookie(self._cookie, self._keys.session, httponly=True, samesite="strict", path="/")
        return response


def _tokens(scope: MutableMapping[str, Any]) -> str:
    query: bytes = scope["query_string"]
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


def _cookie(headers: Headers, name: str) -> str:
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return value
    return ""


_NO_TOKEN: Final = "Open the studio with the whole address that lowres printed in the terminal, token and all."
_PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>lowres studio</title><h1>Not allowed</h1><p>{}</p></html>"
)
_BOUNCE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">'
    '<title>lowres studio</title><p><a href="/">Go on to the studio</a></p></html>'
)


def _refuse(status: int, sentence: str) -> Response:
    return HTMLResponse(_PAGE.format(sentence), status, headers={"Connection": "close"})


def page_address(keys: Keys, place: str) -> str:
    """Return the address of a report page by its place in the project."""
    return f"/pages/{keys.pages}/{quote(os.fsencode(place))}"
