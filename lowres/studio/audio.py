"""An utterance as a WAV file, whole or the part of it that a browser asks for."""

import re
import struct
from typing import Final

import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response

from lowres.audio.constants import BYTES_PER_SAMPLE, SAMPLE_RATE

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def wav_of(samples: npt.NDArray[np.int16]) -> bytes:
    """Return (S,) 16 kHz samples as the bytes of a WAV file: mono, 16 bits."""
    content = samples.astype("<i2", copy=False).tobytes()
    byte_rate = SAMPLE_RATE * BYTES_PER_SAMPLE
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, byte_rate, BYTES_PER_SAMPLE, 16)
    header = b"RIFF" + struct.pack("<I", 36 + len(content)) + b"WAVE" + form + b"data"
    return header + struct.pack("<I", len(content)) + content


def audio_response(request: Request, content: bytes) -> Response:
    """Answer with a WAV file, or with the range of it that was asked for: without ranges, browsers cannot seek."""
    headers = {"Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if wanted is None or wanted.groups() == ("", ""):
        return Response(content, media_type="audio/wav", headers=headers)
    first, last = wanted.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
    return Response(content[start : end + 1], 206, media_type="audio/wav", headers=headers)
