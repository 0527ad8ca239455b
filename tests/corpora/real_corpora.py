"""The manifests of the real corpora, as their readers give them: no audio is decoded, only its length is looked up."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lowres.audio.constants import SAMPLE_RATE
from lowres.corpora.catalog import load_corpus_manifest
from lowres.corpora.layouts import read_corpus
from lowres.manifest.schema import table_from_rows

REAL_CORPORA = ("mboshi", "yoruba", "kinyarwanda", "swahili", "nigerian_pidgin", "east_tusom", "sarawak_malay")
_QUICK = ("swahili", "sarawak_malay")
LARGE_ONES_SLOWLY = [name if name in _QUICK else pytest.param(name, marks=pytest.mark.slow) for name in REAL_CORPORA]


@cache
def real_table(corpora: Path, name: str) -> pd.DataFrame:
    """Return a corpus's manifest in its own order, with times and lengths in samples at 16 kHz."""
    manifest = load_corpus_manifest(name)
    assert manifest.reader is not None
    folder = corpora / manifest.folder
    rows = read_corpus(folder, manifest.reader).rows
    lengths = {path: soundfile.info(folder / path).duration for path in {row.audio_path for row in rows}}
    spans = [
        (row.start_seconds, lengths[row.audio_path] if row.end_seconds is None else row.end_seconds) for row in rows
    ]
    samples = np.array([round(end * SAMPLE_RATE) - round(start * SAMPLE_RATE) for start, end in spans], dtype=np.int64)
    return table_from_rows(rows).assign(num_samples=samples, duration_seconds=samples / SAMPLE_RATE)
