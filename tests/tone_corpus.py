"""A prepared corpus of whistled letters, small enough to train on in a test: every letter is a tone of its own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lowres.audio.shards import ShardWriter, to_int16
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows

LETTERS = "abdeik"
LETTER_SAMPLES = 1600
SHARD = "part-00000.pcm"

TINY_RECIPE = """
name = "tones"

[model]
preset = "xs"
conv_layers = [[16, 10, 5], [16, 3, 2], [16, 3, 2], [16, 3, 2], [16, 3, 2], [16, 2, 2], [16, 2, 2]]
width = 32
num_layers = 2
num_heads = 2
feed_forward_width = 64
positional_kernel = 16
positional_groups = 4

[finetune]
learning_rate = 3e-3
updates = 12
seconds_per_update = 6.0
micro_batch_seconds = 4.0
evaluate_every_updates = 4
log_every_updates = 2
precision = "fp32"
layer_drop = 0.2
channel_span_start_probability = 0.01
collapse_check_share = 2.0
collapse_retries = 0
"""

TINY_PRETRAIN_RECIPE = (
    TINY_RECIPE
    + """
[pretrain]
learning_rate = 3e-3
updates = 12
seconds_per_update = 6.0
micro_batch_seconds = 4.0
crop_seconds = 1.2
shortest_seconds = 0.4
held_out_seconds = 4.0
acoustic_start_hours = 0.002
num_entries = 8
code_width = 8
projection_width = 8
num_distractors = 10
evaluate_every_updates = 4
log_every_updates = 2
precision = "fp32"
collapse_check_share = 2.0
"""
)


@dataclass(frozen=True)
class ToneUtterance:
    utterance_id: str
    split: str
    text: str


def write_project(project: Path, *, num_train: int = 24, recipe: str = TINY_RECIPE, letters: str = LETTERS) -> Path:
    """Make a project folder with a recipe and a prepared corpus; return it."""
    project.mkdir(parents=True, exist_ok=True)
    (project / "lowres.toml").write_text(recipe, encoding="utf-8")
    generator = np.random.Generator(np.random.PCG64(7))
    utterances = [
        ToneUtterance(f"{split}-{number:03d}", split, _sentence(generator, letters))
        for split, count in (("train", num_train), ("dev", 4), ("test", 4))
        for number in range(count)
    ]
    _write_corpus(project / "corpus", utterances)
    return project


def _sentence(generator: np.random.Generator, letters: str) -> str:
    words = ["".join(generator.choice(list(letters), size=generator.integers(2, 5))) for _ in range(3)]
    return " ".join(words)


def whistle(text: str) -> np.ndarray:
    """Return (S,) float32: a tone of 100 ms per letter, silence of 100 ms per space."""
    time = np.arange(LETTER_SAMPLES) / 16_000
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) * 200)
    tones = [
        np.sin(2 * np.pi * (300 + 250 * (ord(letter) % 13)) * time) * fade if letter != " " else 0.0 * time
        for letter in text
    ]
    return (0.3 * np.concatenate(tones)).astype(np.float32)


def _write_corpus(folder: Path, utterances: list[ToneUtterance]) -> None:
    (folder / "shards").mkdir(parents=True)
    offsets, lengths = [], []
    with ShardWriter(folder / "shards" / SHARD) as writer:
        for utterance in utterances:
            samples = to_int16(whistle(utterance.text))
            offsets.append(writer.append(samples))
            lengths.append(len(samples))
        writer.finish()
    rows = [
        UtteranceRow(
            utterance_id=utterance.utterance_id,
            audio_path=f"{utterance.utterance_id}.wav",
            split=utterance.split,
            speaker=f"whistler{number % 2}",
            raw_text=utterance.text,
        )
        for number, utterance in enumerate(utterances)
    ]
    table = table_from_rows(rows).assign(
        num_samples=lengths, offset_samples=offsets, shard=SHARD, duration_seconds=np.array(lengths) / 16_000
    )
    write_corpus(folder, pd.DataFrame(table), CorpusInfo(name="tones", synthetic=True))


def hash_of(path: Path) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
