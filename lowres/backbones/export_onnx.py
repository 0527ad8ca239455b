"""A recogniser as one ONNX file, from a waveform to log-probabilities, checked with onnxruntime before it is kept.

    waveform   (1, num_samples) float32, mono, 16 kHz; one utterance
    log_probs  (1, num_frames, V) float32, natural logarithms; a frame every 20 ms, or 40

The file's metadata hold `vocabulary`, a JSON list of what each of the V ids writes: "" for the blank, " " for the word
boundary. The best id of each frame, repetitions dropped, written out and stripped of spaces at both ends, is the text.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.low_rank_merging import without_low_rank_updates
from lowres.backbones.native import Recognizer
from lowres.backbones.onnx_network import OneUtteranceNetwork
from lowres.errors import CheckpointError, how_to_install
from lowres.text.vocabulary import BLANK, WORD_BOUNDARY, Vocabulary

PACKAGES: Final = ("onnx", "onnxscript", "onnxruntime")
MOST_DIFFERENCE: Final = 1e-2
"""Between our log-probabilities and the file's: rounding is a hundredth of it, a wrong graph many times."""

_MOST_BYTES_IN_ONE_FILE: Final = 1_900_000_000
"""Protocol buffers end at 2 GiB; larger weights lie in a second file beside the first."""

_CHECK_SECONDS: Final = (0.025, 1.0, 3.7)


@dataclass(frozen=True)
class OnnxFile:
    """What was written."""

    paths: tuple[Path, ...]
    """The file, and that of its weights where they are too large for it."""

    largest_difference: float
    """Between our log-probabilities and the file's, over the waveforms it was checked with."""


def write_onnx_file(recognizer: Recognizer, path: Path, facts: Mapping[str, str]) -> OnnxFile:
    """Write a recogniser as ONNX; low-rank updates are merged into the weights.

    Args:
        recognizer: any; on the CPU.
        path: of the file; it appears, or is replaced, only when it is whole and was checked.
        facts: go into the file's metadata beside the vocabulary.

    Raises:
        CheckpointError: a package is missing, `path` is a folder, or onnxruntime makes something else of the file.
        OSError: the disk is full or refuses.
    """
    _demand_packages()
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder.", "Name the file to write, such as recogniser.onnx.")
    network = OneUtteranceNetwork(without_low_rank_updates(recognizer.model)).eval()
    writing = path.with_name(f".{path.name}.writing")
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)
    try:
        _export(network, writing / path.name, {**facts, "vocabulary": labels_json(recognizer.vocabulary)})
        difference = _largest_difference(recognizer, writing / path.name)
        if not difference <= MOST_DIFFERENCE:
            raise CheckpointError(
                f"onnxruntime makes something else of the exported network: scores differ by {difference:.2g}.",
                "Try other versions of torch and onnxscript, and report it with `lowres doctor`'s output.",
            )
        written = sorted(writing.iterdir(), key=lambda file: file.name == path.name)  # the weights first
        for file in written:
            file.replace(path.with_name(file.name))
    finally:
        shutil.rmtree(writing, ignore_errors=True)
    return OnnxFile(tuple(path.with_name(file.name) for file in reversed(written)), difference)


def labels_json(vocabulary: Vocabulary) -> str:
    """Give what each id of a vocabulary writes, as a JSON list."""
    labels = [token.replace(BLANK, "").replace(WORD_BOUNDARY, " ") for token in vocabulary.tokens]
    return json.dumps(labels, ensure_ascii=False)


def _demand_packages() -> None:
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CheckpointError(
            f"Exporting to ONNX needs {' and '.join(missing)}, which this Python does not have.",
            how_to_install("onnx"),
        )


def _export(network: OneUtteranceNetwork, path: Path, metadata: Mapping[str, str]) -> None:
    waveform = torch.randn(1, SAMPLE_RATE)
    with _without_chatter():
        program = torch.onnx.export(
            network,
            (waveform,),
            dynamo=True,
            input_names=["waveform"],
            output_names=["log_probs"],
            dynamic_shapes={"waveform": {1: "num_samples"}},
            optimize=False,  # onnxruntime does that when it loads the file
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    num_bytes = sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
    program.model.metadata_props.update({**metadata, "sample_rate": str(SAMPLE_RATE), "blank_id": "0"})
    program.save(str(path), external_data=num_bytes > _MOST_BYTES_IN_ONE_FILE)


@contextmanager
def _without_chatter() -> Any:
    """Silence the exporter, which logs and warns about packages and versions that are none of the user's concern."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _largest_difference(recognizer: Recognizer, path: Path) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    differences = []
    for seconds in _CHECK_SECONDS:
        num_samples = max(int(seconds * SAMPLE_RATE), recognizer.model.backbone.config.receptive_field_samples)
        waveform = torch.randn(1, num_samples, generator=generator) * 0.1
        with torch.no_grad():
            ours = recognizer.model(waveform, torch.tensor([waveform.shape[1]])).log_probs.numpy()
        (theirs,) = session.run(["log_probs"], {"waveform": waveform.numpy()})
        differences.append(float(np.abs(ours - theirs).max()))
    return max(differences)
