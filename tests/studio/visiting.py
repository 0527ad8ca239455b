"""Talking to a studio byte by byte, as no browser would, to see what it lets one do."""

import re
import socket
from dataclasses import dataclass, field
from urllib.parse import urlencode


@dataclass
class Answer:
    """What came back: status, headers (lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")


@dataclass
class Visitor:
    """Somebody who sends requests; their headers are a browser's on a page of the studio, unless said otherwise."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def enter(self, token: str) -> "Visitor":
        assert self.get(f"/?token={token}").status == 303
        return self

    def get(self, target: str, **headers: str) -> Answer:
        return self.send("GET", target, b"", headers)

    def post(self, target: str, fields: dict[str, str] | bytes, **headers: str) -> Answer:
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        usual = {"sec_fetch_site": "same-origin", "content_type": "application/x-www-form-urlencoded"}
        return self.send("POST", target, body, usual | headers)

    def send(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a request; `target` goes out as it is, and a header of "" does not."""
        usual = {"host": f"127.0.0.1:{self.port}", "cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if method == "POST":
            usual["content_length"] = str(len(body))
        named = {name.replace("_", "-"): value for name, value in (usual | headers).items() if value}
        head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall("\r\n".join(head).encode("latin-1") + body)
            answer = read_answer(connection, method)
        for cookie in re.findall(r"^([\w-]+)=([^;]*)", answer.headers.get("set-cookie", ""), re.MULTILINE):
            self.cookies[cookie[0]] = cookie[1]
        return answer


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer."""
    file = connection.makefile("rb")
    status = int(file.readline().split()[1])
    headers: dict[str, str] = {}
    while (line := file.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        key = name.lower()
        headers[key] = f"{headers[key]}\n{value.strip()}" if key in headers else value.strip()
    return Answer(status, headers, b"" if method == "HEAD" else file.read(int(headers.get("content-length", 0))))
