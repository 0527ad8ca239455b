"""Say in one sentence why a recording cannot be used."""

import os
import re
from pathlib import Path

import soundfile

from lowres.errors import AudioError

_TEXT_HINTS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the recording itself", "Run `git lfs pull` in the corpus."),
    (b"<!doctype html", "a web page, not sound", "Download the recording itself: the page was saved in its place."),
    (b"<html", "a web page, not sound", "Download the recording itself: the page was saved in its place."),
    (b"<?xml", "an XML file, not sound", "Put the recording there, or take its row out."),
)
ALLOWED_MISSING_SECONDS = 0.2
"""Encoders pad, and some programs count a header as sound; more than this missing means that a file was cut."""


def describe_unreadable(path: Path) -> AudioError:
    """Return the error for a file that no decoder could open: missing, a folder, forbidden, empty, text, or unknown."""
    if not path.exists():
        return AudioError(
            f"There is no recording at {path}.", "Put it there, or correct the path in the table or the recipe."
        )
    if path.is_dir():
        return AudioError(f"{path} is a folder, not a recording.", "Name the sound file inside it.")
    if not os.access(path, os.R_OK):
        return AudioError(f"{path} may not be read by this user.", "Change the file's permissions.")
    if path.stat().st_size == 0:
        return AudioError(f"{path} is empty (0 bytes).", "Copy the recording again from its original.")
    with path.open("rb") as file:
        head = file.read(4096)
    for start, what, hint in _TEXT_HINTS:
        if head.lstrip(b"\xef\xbb\xbf \r\n").lower().startswith(start):
            return AudioError(f"{path} is {what}.", hint)
    if _looks_like_text(head):
        return AudioError(f"{path} is a text file, not sound.", "Put the recording there, or take its row out.")
    return AudioError(
        f"{path} is in no sound format that can be decoded, or is damaged from its first bytes on.",
        "Open it in a sound editor such as Audacity and export it as WAV.",
    )


def check_complete(path: Path, file: soundfile.SoundFile) -> None:
    """Refuse a file whose header announces more sound than the file holds.

    Raises:
        AudioError: cut short, with both lengths.
    """
    # libsndfile writes what it had to correct into its log: "data : 64044 (should be 32000)" of wav, SSND of aiff.
    corrected = re.search(
        r"^\s*(?:data|SSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", file.extra_info, flags=re.MULTILINE
    )
    if not corrected or file.frames == 0:
        return
    announced, held = int(corrected[1]), int(corrected[2])
    # Recorders that were switched off write 0 or 0xFFFFFFFF for "until the end of the file": those are complete.
    seconds = file.frames / file.samplerate
    if held < announced < 0x7FFFF000 and seconds * (announced - held) > held * ALLOWED_MISSING_SECONDS:
        raise AudioError(
            f"{path} is cut short: its header announces {seconds * announced / held:.1f} s of sound and it holds "
            f"{seconds:.1f} s.",
            "Copy the recording again from its original.",
        )


def _looks_like_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # the byte order mark of UTF-16
        head = head.decode("utf-16", errors="replace").encode()
    # Sound of any format has control characters among its first 4096 bytes; text of any 8-bit encoding has none.
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", head)
