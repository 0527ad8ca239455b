"""Downloads go on where they stopped, are verified, and never write outside their folder."""

import errno
import hashlib
import http.client
import io
import ssl
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lowres.corpora.catalog import CorpusManifest, Download
from lowres.corpora.download import download_corpus, fetch, unpack
from lowres.errors import CorpusError

CONTENTS = bytes(range(256)) * 100


class Server(ThreadingHTTPServer):
    """Serves `files`; breaks off after `break_after` bytes as often as `num_breaks` says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.ranges: list[str | None] = []
        self.can_resume = True
        self.is_chunked = False
        self.break_after, self.num_breaks = 0, 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        contents = self.server.files.get(self.path.lstrip("/"))
        if contents is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.can_resume else 0
        if start >= len(contents):
            self.send_error(416)
            return
        if self.server.is_chunked:
            self._send_in_chunks(contents)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(contents) - start))
        self.end_headers()
        if self.server.num_breaks:
            self.server.num_breaks -= 1
            self.wfile.write(contents[start : start + self.server.break_after])
            self.close_connection = True
        else:
            self.wfile.write(contents[start:])

    def _send_in_chunks(self, contents: bytes) -> None:
        """Send one chunk and break off inside the next, or end well."""
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(contents), contents))
        self.wfile.write(b"40\r\nab" if self.server.num_breaks else b"0\r\n\r\n")
        self.server.num_breaks = max(self.server.num_breaks - 1, 0)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def ignore(*_: object) -> None:
    pass


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, contents in members:
            archive.writestr(name, contents)
    return buffer.getvalue()


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    contents = bytes(range(256)) * 20_000
    server.files["a.bin"] = contents
    server.break_after, server.num_breaks = 3_000_000, 1
    seen: list[tuple[int, int | None]] = []
    download = Download(url=server.url("a.bin"), sha256=hashlib.sha256(contents).hexdigest())
    fetch(download, tmp_path / "a.bin", lambda _, here, total: seen.append((here, total)))
    assert (tmp_path / "a.bin").read_bytes() == contents
    assert server.ranges == [None, "bytes=3000000-"]
    assert seen[-1] == (len(contents), len(contents))


def test_an_answer_in_chunks_that_is_cut_short_is_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.files["a.bin"] = CONTENTS
    server.is_chunked, server.num_breaks = True, 1
    fetch(Download(url=server.url("a.bin")), tmp_path / "a.bin", ignore)
    assert (tmp_path / "a.bin").read_bytes() == CONTENTS
    server.num_breaks = 3
    with pytest.raises(CorpusError, match="cannot be downloaded: IncompleteRead"):
        fetch(Download(url=server.url("a.bin")), tmp_path / "b.bin", ignore)


@pytest.mark.parametrize("error", [ssl.SSLError(1, "bad record mac"), OSError(errno.ENETDOWN, "Network is down")])
def test_a_network_that_fails_midway_is_no_fault_of_the_disk(
    error: OSError, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.bin"] = CONTENTS
    failures = [error] * 2
    read = http.client.HTTPResponse.read

    def fail_twice(response: http.client.HTTPResponse, amount: int | None = None) -> bytes:
        if failures:
            raise failures.pop()
        return read(response, amount)

    monkeypatch.setattr(http.client.HTTPResponse, "read", fail_twice)
    fetch(Download(url=server.url("a.bin")), tmp_path / "a.bin", ignore)
    failures = [error] * 3
    with pytest.raises(CorpusError, match=f"cannot be downloaded: .*{error.strerror}"):
        fetch(Download(url=server.url("a.bin")), tmp_path / "b.bin", ignore)


@pytest.mark.parametrize("url", ["https://example.org/größe", "https://example.org/a b", "https://[/a"])
def test_an_address_that_is_none_is_said(url: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be downloaded: that is no address"):
        fetch(Download(url=url), tmp_path / "a.bin", ignore)


def test_a_full_disk_stays_an_error_of_the_disk(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.bin"] = CONTENTS

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OSError, match="No space left"):
        fetch(Download(url=server.url("a.bin")), tmp_path / "a.bin", ignore)


def test_a_server_that_cannot_resume_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.files["a.bin"] = b"0123456789" * 1000
    server.can_resume = False
    (tmp_path / "a.bin.partial").write_bytes(b"0123456789")
    fetch(Download(url=server.url("a.bin")), tmp_path / "a.bin", ignore)
    assert (tmp_path / "a.bin").read_bytes() == b"0123456789" * 1000


def test_a_file_that_was_whole_already_is_accepted(server: Server, tmp_path: Path) -> None:
    server.files["a.bin"] = b"whole"
    (tmp_path / "a.bin.partial").write_bytes(b"whole")
    fetch(Download(url=server.url("a.bin")), tmp_path / "a.bin", ignore)
    assert (tmp_path / "a.bin").read_bytes() == b"whole"


def test_another_checksum_is_refused_and_the_file_deleted(server: Server, tmp_path: Path) -> None:
    server.files["a.bin"] = b"tampered"
    with pytest.raises(CorpusError, match="is not the file that it was"):
        fetch(Download(url=server.url("a.bin"), sha256="0" * 64), tmp_path / "a.bin", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_request_says_what_to_do(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="cannot be downloaded: the server answers 404") as caught:
        fetch(Download(url=server.url("gone.zip")), tmp_path / "gone.zip", ignore)
    assert "LOWRES_CORPORA" in caught.value.hint


def test_a_corpus_is_fetched_unpacked_and_its_archives_removed(server: Server, tmp_path: Path) -> None:
    server.files["c.zip"] = zipped(("top-main/corpus/train/a.mb", b"mbote"), ("top-main/README", b"not wanted"))
    download = Download(url=server.url("c.zip"), archive="zip", subfolder="top-main/corpus")
    manifest = CorpusManifest(name="c", title="C", licence="CC0", folder="c", downloads=(download,))
    assert download_corpus(manifest, tmp_path, ignore) == tmp_path / "c"
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == ["c/train/a.mb"]
    assert (tmp_path / "c" / "train" / "a.mb").read_bytes() == b"mbote"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil"])
def test_members_that_climb_out_of_a_zip_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.zip").write_bytes(zipped((name, b"x")))
    with pytest.raises(CorpusError, match="would be written outside its folder"):
        unpack(Download(url="http://x/a.zip", archive="zip"), tmp_path / "a.zip", tmp_path / "out")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(CorpusError, match="is a link or a device"):
        unpack(Download(url="http://x/a.tar.gz", archive="tar.gz"), tmp_path / "a.tar.gz", tmp_path / "out")


def test_a_damaged_archive_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(CorpusError, match=r"a\.zip is damaged"):
        unpack(Download(url="http://x/a.zip", archive="zip"), tmp_path / "a.zip", tmp_path / "out")
