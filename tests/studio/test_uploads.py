"""A dropped recording comes whole or not at all, under a harmless name, and never more of it than is taken."""

import socket
import time
from pathlib import Path

import pytest
from listening import write_bursts, write_run
from serving import open_studio
from visiting import Answer, Visitor, read_answer

from lowres.studio.uploads import safe_name

BOUNDARY = "----boundary"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def form_of(name: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="recording"; filename="{name}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def drop(visitor: Visitor, name: str, content: bytes, **headers: str) -> Answer:
    return visitor.post("/transcribe", form_of(name, content), content_type=TYPE, **headers)


def left_in(project: Path) -> list[str]:
    return sorted(str(path.relative_to(project)) for path in (project / "studio").rglob("*") if path.is_file())


def send_slowly(visitor: Visitor, head: list[str], body: list[bytes]) -> tuple[Answer, float]:
    """Send headers and the beginning of a body, and wait for an answer before anything more is sent."""
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    usual = [f"Host: 127.0.0.1:{visitor.port}", f"Cookie: {cookie}", "Sec-Fetch-Site: same-origin"]
    lines = ["POST /transcribe HTTP/1.1", *usual, f"Content-Type: {TYPE}", *head, "", ""]
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", visitor.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        for piece in body:
            connection.sendall(piece)
        return read_answer(connection), time.monotonic() - started


def test_two_gigabytes_are_refused_before_they_are_read(project: Path, visitor: Visitor) -> None:
    write_run(project)
    begun = form_of("long.wav", b"RIFF" + bytes(1_000_000))[:1_000_000]
    answer, seconds = send_slowly(visitor, ["Content-Length: 2147483648"], [begun])
    assert answer.status == 413
    assert "larger than the 500 MB that the studio takes" in answer.text
    assert "lowres transcribe" in answer.text
    assert seconds < 5
    assert [name for name in left_in(project) if "partial" in name or ".wav" in name] == []


def test_what_does_not_say_how_large_it_is_is_stopped_on_the_way(project: Path) -> None:
    write_run(project)
    with open_studio(project, largest_upload_bytes=300_000) as studio:
        visitor = Visitor(studio.port).enter(studio.keys.token)
        begun = form_of("long.wav", bytes(400_000))[:400_000]
        chunk = f"{len(begun):x}\r\n".encode() + begun + b"\r\n"
        answer, _ = send_slowly(visitor, ["Transfer-Encoding: chunked"], [chunk])
        assert answer.status == 413
        assert "larger than" in answer.text
        assert [name for name in left_in(project) if "partial" in name or ".wav" in name] == []


def test_a_recording_that_stops_coming_leaves_nothing(project: Path, visitor: Visitor) -> None:
    write_run(project)
    head = f"POST /transcribe HTTP/1.1\r\nHost: 127.0.0.1:{visitor.port}\r\nSec-Fetch-Site: same-origin\r\n"
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    with socket.create_connection(("127.0.0.1", visitor.port)) as connection:
        lines = f"{head}Cookie: {cookie}\r\nContent-Type: {TYPE}\r\nContent-Length: 900000\r\n\r\n"
        connection.sendall(lines.encode() + form_of("cut.wav", bytes(500_000))[:400_000])
        wait_for(lambda: any("partial" in name for name in left_in(project)))
    wait_for(lambda: not any("partial" in name for name in left_in(project)))
    assert "cut.wav" not in visitor.get("/transcribe").text


def wait_for(claim: "object", seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not claim():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("interview.wav", "interview.wav"),
        ("../../etc/cron.d/x.wav", "x.wav"),
        ("..\\..\\x.wav", "x.wav"),
        ("/etc/passwd.mp3", "passwd.mp3"),
        ("..wav", "recording.wav"),
        (".hidden.wav", "hidden.wav"),
        ("a\x00b.wav", "a_b.wav"),
        ("mokɔ́ 1 (2).wav", "mokɔ́ 1 (2).wav"),
        ("हिन्दी.wav", "हिन्दी.wav"),
        ("𞤀" * 80 + ".wav", "𞤀" * 40 + ".wav"),
        ("<script>.wav", "_script_.wav"),
        ("con.wav", "_con.wav"),
        ("job.wav", "job.wav"),
        ("transcribed.wav", "_transcribed.wav"),
        ("Transcribed.wav", "_Transcribed.wav"),
        ("x" * 300 + ".wav", "x" * 80 + ".wav"),
        ("\u202egpj.wav", "_gpj.wav"),
    ],
)
def test_a_name_is_never_a_path(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_what_is_no_recording_is_refused_with_a_sentence(project: Path, visitor: Visitor) -> None:
    write_run(project)
    for name in ("page.html", "program.exe", "wav", "lowres.toml"):
        answer = drop(visitor, name, b"<script>alert(1)</script>")
        assert answer.status == 422
        assert "is no recording" in answer.text
    assert "No recording came" in visitor.post("/transcribe", b"", content_type=TYPE).text
    assert "No recording came" in visitor.post("/transcribe", {"recording": "x"}).text
    assert "No recording came" in drop(visitor, "empty.wav", b"").text
    assert "did not come whole" in visitor.post("/transcribe", b"nonsense", content_type=TYPE).text
    assert [name for name in left_in(project) if "." in name.rpartition("/")[2][1:]] == []


def test_without_a_recogniser_a_sentence_says_what_to_do(project: Path, visitor: Visitor) -> None:
    assert "Run `lowres finetune` first" in visitor.get("/transcribe").text
    assert drop(visitor, "a.wav", b"RIFF").status == 422
    assert not (project / "studio").exists()


def test_a_folder_that_a_link_leads_out_to_gets_nothing(project: Path) -> None:
    write_run(project)
    outside = project.parent / "outside"
    outside.mkdir()
    (project / "studio").symlink_to(outside)
    with open_studio(project) as studio:
        visitor = Visitor(studio.port).enter(studio.keys.token)
        answer = drop(visitor, "a.wav", write_bursts(project.parent / "a.wav").read_bytes())
        assert answer.status == 422
        assert "leads out of the project" in answer.text
    assert list(outside.iterdir()) == []
