"""The ONNX file gives onnxruntime lowres's scores and, with the vocabulary in its metadata, lowres's text."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recognizers import KINDS, VARIANTS, make_recognizer, make_waveform, transcribe
from torch.testing import assert_close

from lowres.backbones import export_onnx
from lowres.backbones.export_onnx import labels_json, write_onnx_file
from lowres.backbones.low_rank_merging import without_low_rank_updates
from lowres.backbones.native import Recognizer
from lowres.backbones.onnx_network import OneUtteranceNetwork
from lowres.errors import CheckpointError

pytestmark = pytest.mark.slow  # every test trains or exports for a second or more

onnxruntime = pytest.importorskip("onnxruntime")


def session_of(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def our_log_probs(recognizer: Recognizer, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return recognizer.model(waveform[None], torch.tensor([len(waveform)])).log_probs


def read_text(session: Any, waveform: torch.Tensor) -> str:
    """Decode as docs/EXPORT.md says, without lowres."""
    labels = json.loads(session.get_modelmeta().custom_metadata_map["vocabulary"])
    (log_probs,) = session.run(None, {"waveform": waveform[None].numpy()})
    return "".join(labels[best] for best, _ in groupby(log_probs[0].argmax(-1))).strip()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recognizer, Path]:
    # One export serves all tests: it takes seconds, whatever the size.
    recognizer = make_recognizer("base", "graphemes", num_layers=1)
    path = tmp_path_factory.mktemp("onnx") / "mboshi.onnx"
    write_onnx_file(recognizer, path, {"language": "mdw", "backbone_licence": "CC-BY-NC-4.0"})
    return recognizer, path


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("num_samples", [400, 719, 40_001])
def test_the_plain_network_gives_the_recognizers_scores(variant: str, num_samples: int) -> None:
    recognizer, waveform = make_recognizer(variant, head_gain=1.0), make_waveform(num_samples) + 0.1
    with torch.no_grad():
        plain = OneUtteranceNetwork(without_low_rank_updates(recognizer.model))(waveform[None])
    assert_close(plain, our_log_probs(recognizer, waveform), atol=1e-4, rtol=1e-4)


def test_an_odd_positional_kernel_gives_the_recognizers_scores() -> None:
    recognizer, waveform = make_recognizer(head_gain=1.0, positional_kernel=7), make_waveform(9_000)
    with torch.no_grad():
        plain = OneUtteranceNetwork(recognizer.model)(waveform[None])
    assert_close(plain, our_log_probs(recognizer, waveform), atol=1e-4, rtol=1e-4)


LOG_MEL = {"front_end": "log_mel", "conv_layers": ((24, 400, 160), (16, 3, 2)), "transformer_norm": "pre"}


@pytest.mark.parametrize("num_samples", [720, 9_000])
def test_log_mel_bands_give_the_recognizers_scores(num_samples: int) -> None:
    recognizer, waveform = make_recognizer(head_gain=1.0, **LOG_MEL), make_waveform(num_samples)
    with torch.no_grad():
        plain = OneUtteranceNetwork(recognizer.model)(waveform[None])
    assert_close(plain, our_log_probs(recognizer, waveform), atol=1e-4, rtol=1e-4)


def test_a_recognizer_of_log_mel_bands_gives_onnxruntime_the_same_scores(tmp_path: Path) -> None:
    recognizer, waveform = make_recognizer(head_gain=1.0, **LOG_MEL), make_waveform(20_000)
    write_onnx_file(recognizer, tmp_path / "mel.onnx", {})
    (log_probs,) = session_of(tmp_path / "mel.onnx").run(None, {"waveform": waveform[None].numpy()})
    assert_close(torch.from_numpy(log_probs), our_log_probs(recognizer, waveform), atol=1e-3, rtol=1e-3)


def test_a_network_that_needs_more_than_25_ms_is_checked_with_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = make_recognizer(
        head_gain=1.0, conv_layers=((16, 10, 5), *((16, 3, 2),) * 4, *((16, 2, 2),) * 3), num_layers=1
    )
    network, lengths = OneUtteranceNetwork(recognizer.model), []

    class Session:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def run(self, _: list[str], inputs: dict[str, Any]) -> list[Any]:
            lengths.append(inputs["waveform"].shape[1])
            with torch.no_grad():
                return [network(torch.from_numpy(inputs["waveform"])).numpy()]

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    assert export_onnx._largest_difference(recognizer, Path("x.onnx")) < 1e-4
    assert lengths[0] == recognizer.model.backbone.config.receptive_field_samples == 720


@pytest.mark.parametrize("num_samples", [400, 719, 720, 5_000, 70_001])
def test_onnxruntime_gives_our_scores_at_every_length(exported: tuple[Recognizer, Path], num_samples: int) -> None:
    recognizer, path = exported
    waveform = make_waveform(num_samples)
    (theirs,) = session_of(path).run(None, {"waveform": waveform[None].numpy()})
    ours = our_log_probs(recognizer, waveform)
    # The head is twenty times as loud as usual, and so is rounding.
    assert_close(ours / 20, torch.from_numpy(theirs) / 20, atol=1e-4, rtol=1e-4)


def test_the_vocabulary_in_the_file_gives_our_text(exported: tuple[Recognizer, Path]) -> None:
    recognizer, path = exported
    session = session_of(path)
    for seed in range(3):
        waveform = make_waveform(seed=seed)
        assert len(transcribe(recognizer, waveform)) > 20
        assert read_text(session, waveform) == transcribe(recognizer, waveform).strip()


@pytest.mark.parametrize("kind", KINDS)
def test_labels_written_one_after_the_other_are_the_text(kind: str) -> None:
    vocabulary = make_recognizer(kind=kind).vocabulary
    labels = json.loads(labels_json(vocabulary))
    ids = vocabulary.encode("ngo tsa ŋo | ba")
    assert labels[0] == ""
    assert "".join(labels[token_id] for token_id in ids).strip() == "ngo tsa ŋo | ba"


def test_the_file_says_where_it_comes_from(exported: tuple[Recognizer, Path]) -> None:
    said = session_of(exported[1]).get_modelmeta().custom_metadata_map
    assert {name: said[name] for name in ("language", "backbone_licence", "sample_rate", "blank_id")} == {
        "language": "mdw",
        "backbone_licence": "CC-BY-NC-4.0",
        "sample_rate": "16000",
        "blank_id": "0",
    }


def test_nothing_but_the_file_is_left(exported: tuple[Recognizer, Path]) -> None:
    assert [path.name for path in exported[1].parent.iterdir()] == ["mboshi.onnx"]


@pytest.mark.parametrize("variant", ["adapter", "lora", "data2vec"])
def test_every_kind_of_network_is_exported(variant: str, tmp_path: Path) -> None:
    recognizer = make_recognizer(variant, head_gain=1.0)
    assert write_onnx_file(recognizer, tmp_path / "x.onnx", {}).largest_difference < 1e-4


def test_a_file_that_computes_something_else_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_onnx, "_export", lambda network, path, metadata: path.write_bytes(b"something"))
    monkeypatch.setattr(export_onnx, "_largest_difference", lambda recognizer, path: float(np.nan))
    with pytest.raises(CheckpointError, match="makes something else of the exported network"):
        write_onnx_file(make_recognizer(), tmp_path / "x.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_onnx, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(CheckpointError, match="needs onnxscript, which") as caught:
        write_onnx_file(make_recognizer(), tmp_path / "x.onnx", {})
    assert ".[onnx]" in caught.value.hint
