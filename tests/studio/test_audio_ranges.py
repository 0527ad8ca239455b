"""Utterances are WAV files that a browser can seek in."""

import io
from pathlib import Path

import soundfile
from visiting import Visitor

from lowres.studio.desk import key_of

TARGET = f"/corpus/{key_of('train/ana_00')}/audio.wav"


def test_an_utterance_is_a_wav_file_of_its_samples(project: Path, visitor: Visitor) -> None:
    answer = visitor.get(TARGET)
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
    samples, rate = soundfile.read(io.BytesIO(answer.body), dtype="int16")
    original, _ = soundfile.read(project / "recordings" / "train" / "ana_00.wav", dtype="int16")
    assert samples.tolist() == original.tolist()
    assert (rate, len(samples), samples.ndim) == (16_000, 16_000, 1)


def test_a_browser_gets_the_range_that_it_asks_for(visitor: Visitor) -> None:
    whole = visitor.get(TARGET).body
    size = len(whole)
    for asked, start, end in (
        ("bytes=0-9", 0, 9),
        ("bytes=44-", 44, size - 1),
        ("bytes=-10", size - 10, size - 1),
        ("bytes=100-99999999", 100, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
    ):
        answer = visitor.get(TARGET, range=asked)
        assert answer.status == 206
        assert answer.body == whole[start : end + 1]
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{size}"


def test_a_range_beyond_the_end_is_refused_and_nonsense_is_all_of_it(visitor: Visitor) -> None:
    size = len(visitor.get(TARGET).body)
    assert visitor.get(TARGET, range=f"bytes={size}-").status == 416
    for nonsense in ("bytes=-", "bytes=a-b", "bytes=0-1,4-5", "bytes=" + "9" * 5000 + "-", "lines=1-2"):
        answer = visitor.get(TARGET, range=nonsense)
        assert (answer.status, len(answer.body)) == (200, size)
