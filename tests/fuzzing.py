"""Hostile files for every reader: valid ones of each format, ways of damaging them, and a judge of what comes of it.

A reader has three good answers: it reads, it reads and names what it left out, or it refuses with a LowresError. A
crash, a hang, an entity that was expanded and a file outside the corpus that was opened are failures. `tests/` tries a
few inputs of each kind, `benchmarks/fuzz_readers.py` as many as there is time for.
"""

import gzip
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from fuzzing_seeds import ANNOTATION_SEEDS, CORPUS_SEEDS, PARQUET_ROWS, CorpusSeed

from lowres.annotation.formats import read_annotations
from lowres.corpora.layouts import read_corpus
from lowres.corpora.parquet import unpack_parquet
from lowres.corpora.settings import ReaderSettings
from lowres.errors import LowresError
from lowres.stages.init import guess_reader

MOST_CPU_SECONDS, MOST_SECONDS = 10.0, 40.0
SECRET = "this-is-nobody-s-business"
_WORDS = (
    b"", b"\x00", b'"', b"<", b"&", b"\n", b"\r", b"\t", b"\\", b"-->", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"-1", b"1e999", b"nan", b"inf", b"0x10", b"9" * 400, b"[" * 3000, b'{"a":' * 3000,
    b"<a>" * 3000, b"../outside/secret.wav", b"../outside/secret.txt", b"/etc/passwd",
    b"..\\outside\\secret.wav", b"file:///etc/passwd", b"C:\\secret.wav", b"|touch x|", b"cat /etc/passwd |",
    b"%00", b"%2e%2e/outside/secret.wav", b"true", b"null", b"{}", b"[]", b'"\\ud800"', b"train", b"*",
    b"\xe2\x80\xae", b"\xcc\x81" * 50, b"\\_sh v3.0", b"WEBVTT", b"ooBinaryFile",
)  # fmt: skip
_ODD_WORDS = (
    b"", b"0", b"-0", b"-1", b"1e308", b"1e999", b"nan", b"inf", b"0.0000001", b"9" * 400, b"1,5",
    b"00:00:00.000", b"99:99:99.999", b"true", b"x" * 5000, b"\xcc\x81", b"\xe2\x80\xae", b"..",
    b"../outside/secret.wav", b"/etc/passwd", b"%2e%2e/outside/secret.txt", b"a\nb", b"mbote\tmbote", b"@",
    b"*", b"train", b"other",
)  # fmt: skip
_DECLARATIONS = (
    b'<!DOCTYPE a [<!ENTITY a "' + SECRET.encode() + b'">]>',
    b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 500 + b'"><!ENTITY a "' + b"&b;" * 200 + b'">]>',
    b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
)


class Hang(BaseException):
    """A reader took longer than any file may take."""


@dataclass
class Trial:
    """What became of one input.

    Attributes:
        outcome: "read" or "refused".
        failure: a sentence, where the reader failed; "" otherwise.
    """

    outcome: str
    failure: str = ""


@dataclass
class Watch:
    """Notes what is opened or changed outside of a folder while it is active."""

    folder: str = ""
    seen: list[str] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[object, ...]) -> None:
        """Judge one of Python's audit events."""
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "socket.connect", "urllib.Request"):
            self.seen.append(event)
        elif event in (
            "open",
            "os.listdir",
            "os.scandir",
            "os.remove",
            "os.rename",
            "os.mkdir",
            "os.link",
            "os.symlink",
        ):
            path = arguments[0] if arguments else None
            if isinstance(path, str | bytes) and not self._is_ours(os.fsdecode(path), event, arguments):
                self.seen.append(f"{event} {os.fsdecode(path)!r}")

    def _is_ours(self, path: str, event: str, arguments: tuple[object, ...]) -> bool:
        if os.sep not in path and path != "..":  # inside of a folder that is open already, as rmtree does it
            return True
        real = os.path.realpath(path)
        if real == self.folder or real.startswith(self.folder + os.sep):
            return True
        # Python's own modules may be imported, and nothing but read.
        flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
        is_read = isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        own = (sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[1] / "lowres"))
        return event in ("open", "os.listdir", "os.scandir") and is_read and real.startswith(own)


_watch = Watch()
_installed: list[bool] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watch.folder:
        _watch.note(event, arguments)


@contextmanager
def watched(folder: Path) -> Iterator[Watch]:
    """Watch what happens outside of a folder; hooks cannot be taken out again, so that there is one for all."""
    if not _installed:
        sys.addaudithook(_audit)
        _installed.append(True)
    _watch.seen = []
    _watch.folder = os.path.realpath(folder)
    try:
        yield _watch
    finally:
        _watch.folder = ""


@contextmanager
def limited() -> Iterator[None]:
    """Raise `Hang` in whatever runs for too long, by the processor's time or, should it wait, by the clock's."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    old = signal.signal(signal.SIGPROF, stop), signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGPROF, old[0])
        signal.signal(signal.SIGALRM, old[1])


def damage(contents: bytes, chance: random.Random) -> bytes:
    """Return a file that differs from a valid one in a few places, or has a document type, or is cut or doubled."""
    if chance.random() < 0.08:
        return contents.replace(b"?>", b"?>" + chance.choice(_DECLARATIONS), 1).replace(b"mbote", b"&a;")
    if chance.random() < 0.05:
        return chance.choice((b"", contents[: len(contents) // 2], contents * 2, chance.randbytes(200), contents * 40))
    if chance.random() < 0.5:
        return _exchange_words(contents, chance)
    changed = bytearray(contents)
    for _ in range(chance.choice((1, 1, 1, 1, 2, 3, 6))):
        start = chance.randrange(len(changed) + 1)
        end = min(len(changed), start + chance.choice((0, 1, 1, 2, 9, 60)))
        piece = chance.choice((chance.choice(_WORDS), chance.randbytes(1), bytes(changed[start:end] * 2)))
        changed[start:end] = piece
    return bytes(changed)


def _exchange_words(contents: bytes, chance: random.Random) -> bytes:
    """Put other words of the file, or odd ones, in the place of some: what comes of it is well-formed more often."""
    words = [(found.start(), found.end()) for found in re.finditer(rb"[\w.:+/-]+", contents)]
    others = [contents[start:end] for start, end in words] or [b"x"]
    for start, end in sorted(chance.sample(words, k=min(len(words), chance.choice((1, 1, 2, 5)))), reverse=True):
        other = chance.choice(others) if chance.random() < 0.5 else chance.choice(_ODD_WORDS)
        contents = contents[:start] + other + contents[end:]
    return contents


def try_annotations(name: str, seed: int, place: Path) -> Trial:
    """Read one damaged file of annotations of a format.

    Args:
        name: one of ANNOTATION_SEEDS.
        seed: of the damage.
        place: an empty folder; it is left with what was tried in it.
    """
    chance = random.Random(seed)
    suffix, contents = ANNOTATION_SEEDS[name]
    path = place / "corpus" / f"file{suffix}"
    path.parent.mkdir()
    _write_outside(place)
    path.write_bytes(damage(chance.choice(contents), chance))

    def read() -> str:
        file = read_annotations(path)
        for tier in file.tiers:
            starts = [note.start_seconds for note in tier.annotations]
            assert starts == sorted(starts), f"tier {tier.name!r} is out of order"
            for note in tier.annotations:
                assert 0 <= note.start_seconds <= note.end_seconds < float("inf"), f"an impossible time: {note}"
        return "".join(note.text for tier in file.tiers for note in tier.annotations)

    return _judge(read, path.parent)


def try_corpus(name: str, seed: int, place: Path) -> Trial:
    """Read one damaged corpus of a layout; arguments as `try_annotations`'s."""
    chance = random.Random(seed)
    corpus = CORPUS_SEEDS[name]
    folder = place / "corpus"
    _write_outside(place)
    _write_corpus(corpus, folder, chance)

    def read() -> str:
        if corpus.guesses:
            return str(guess_reader(folder))
        settings: ReaderSettings = chance.choice(corpus.settings)
        rows = read_corpus(folder, settings).rows
        assert rows, "no rows, and no error"
        assert len({row.utterance_id for row in rows}) == len(rows), "an id twice"
        for row in rows:
            real = os.path.realpath(folder / row.audio_path)
            assert real.startswith(os.path.realpath(folder) + os.sep), f"{row.audio_path!r} leads out"
            for seconds in (row.start_seconds, row.end_seconds or 0.0):
                assert 0 <= seconds < 1e8, f"an impossible time: {row}"
        return "".join(row.raw_text for row in rows)

    return _judge(read, folder)


def try_parquet(seed: int, place: Path) -> Trial:
    """Unpack and read one damaged data set of parquet files; arguments as `try_annotations`'s."""
    import pyarrow
    import pyarrow.parquet

    chance = random.Random(seed)
    folder, target = place / "project" / "corpus", place / "project" / "unpacked"
    (folder / "audio").mkdir(parents=True)
    (folder / "audio" / "b.wav").write_bytes(b"RIFF....WAVEfmt ")
    _write_outside(place / "project")
    rows = [{**row} for row in PARQUET_ROWS]
    for row in rows:
        for key in list(row):
            if chance.random() < 0.1:
                word = chance.choice(_WORDS).decode(errors="replace")
                row[key] = {"bytes": None, "path": word} if key == "audio" else word
    path = folder / chance.choice(("train-00000-of-00001.parquet", "data.parquet", "a/../b.parquet", "dev/x.parquet"))
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "a").mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    if chance.random() < 0.7:
        path.write_bytes(damage(path.read_bytes(), chance))

    def read() -> str:
        unpack_parquet(folder, target, ReaderSettings(reader="audio_folder"))
        return "".join(row.raw_text for row in read_corpus(target, ReaderSettings(reader="audio_folder")).rows)

    return _judge(read, place / "project")


def all_targets() -> Mapping[str, Callable[[int, Path], Trial]]:
    """Return every reader's name and the function that tries it with a seed in an empty folder."""
    targets: dict[str, Callable[[int, Path], Trial]] = {}
    for name in ANNOTATION_SEEDS:
        targets[f"annotations: {name}"] = lambda seed, place, name=name: try_annotations(name, seed, place)  # type: ignore[misc]
    for name in CORPUS_SEEDS:
        targets[f"corpus: {name}"] = lambda seed, place, name=name: try_corpus(name, seed, place)  # type: ignore[misc]
    targets["corpus: parquet"] = try_parquet
    return targets


def try_one(target: Callable[[int, Path], Trial], seed: int) -> Trial:
    """Try a reader with one seed in a folder that is taken away afterwards."""
    place = Path(tempfile.mkdtemp(prefix="lowres-fuzz-"))
    try:
        return target(seed, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _judge(read: Callable[[], str], folder: Path) -> Trial:
    outcome, failure, text = "read", "", ""
    with watched(folder) as watch:
        try:
            with limited():
                text = read()
        except LowresError as error:
            outcome, text = "refused", error.message
            failure = "" if error.message.strip() else "a refusal without a sentence"
        except Hang:
            failure = f"more than {MOST_CPU_SECONDS:g} s of the processor, or {MOST_SECONDS:g} s of the clock"
        except RecursionError as error:
            failure = f"RecursionError: {error}"
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"[:300]
    if not failure and watch.seen:
        failure = f"outside of the corpus: {watch.seen[0]}"
    failure = failure.replace(str(folder), "CORPUS")
    if not failure and (SECRET in text or "root:" in text):
        failure = "text of an entity or of another file was read"
    return Trial(outcome, failure)


def _write_outside(place: Path) -> None:
    """Put a recording and texts beside the corpus, which no reader may open."""
    outside = place / "outside"
    outside.mkdir(parents=True, exist_ok=True)
    for name in ("secret.wav", "secret.txt", "secret.eaf", "secret.tsv"):
        (outside / name).write_text(SECRET, encoding="utf-8")


def _write_corpus(corpus: CorpusSeed, folder: Path, chance: random.Random) -> None:
    files = dict(corpus.files)
    for name in chance.sample(sorted(files), k=min(len(files), chance.choice((1, 1, 1, 2)))):
        if not name.endswith((".wav", ".flac")):
            files[name] = damage(files[name], chance)
    for name, contents in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(contents, 1, mtime=0) if name.endswith(".gz") else contents)
    if chance.random() < 0.25:
        _replace(folder / chance.choice(sorted(files)), chance)


def _replace(path: Path, chance: random.Random) -> None:
    """Put something else in the place of a file: a link out of the corpus, a folder, a pipe, another name, nothing."""
    path.unlink()
    match chance.choice(("link", "text link", "loop", "folder", "pipe", "name", "nothing", "bytes")):
        case "link":
            path.symlink_to("../outside/secret.wav" if path.parent.name == "corpus" else "../../outside/secret.wav")
        case "text link":
            path.symlink_to(path.parents[0] / ("../" * 3) / "outside" / "secret.txt")
        case "loop":
            path.symlink_to(path.name)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "name":
            Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff\n" + os.fsencode(path.name))).write_bytes(b"x")
        case "bytes":
            path.write_bytes(chance.randbytes(300))
