"""What is exported gives transformers lowres's scores and lowres's text."""

import json
import stat
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from recognizers import KINDS, VARIANTS, make_recognizer, make_waveform, transcribe, vocabulary_of
from torch.testing import assert_close

from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.export_transformers import write_transformers_folder
from lowres.backbones.model_card import Language, against_commercial_use, model_card
from lowres.backbones.native import Recognizer
from lowres.backbones.transformers_vocabulary import encodes_text, tokenizer_files
from lowres.errors import CheckpointError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("transformers")

MBOSHI = Language("Mboshi", "mdw")


def load(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCTC, Wav2Vec2Processor

    model, notes = AutoModelForCTC.from_pretrained(folder, output_loading_info=True)
    assert not any(notes.values()), notes
    return model.eval(), Wav2Vec2Processor.from_pretrained(folder)


def hear(folder: Path, waveform: torch.Tensor) -> tuple[torch.Tensor, str]:
    model, processor = load(folder)
    inputs = processor(waveform.numpy(), sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        logits = model(**inputs).logits
    return logits, processor.batch_decode(logits.argmax(-1))[0]


def our_logits(recognizer: Recognizer, waveform: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return recognizer.model(waveform[None], torch.tensor([len(waveform)])).logits


@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_are_those_of_lowres(variant: str, tmp_path: Path) -> None:
    recognizer, waveform = make_recognizer(variant, head_gain=1.0), make_waveform()
    write_transformers_folder(recognizer, tmp_path / "out", MBOSHI)
    theirs, _ = hear(tmp_path / "out", waveform)
    assert_close(our_logits(recognizer, waveform), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", ["base", "large"])
def test_transcripts_are_those_of_lowres(kind: str, variant: str, tmp_path: Path) -> None:
    recognizer = make_recognizer(variant, kind)
    write_transformers_folder(recognizer, tmp_path / "out", MBOSHI)
    for seed in range(3):
        waveform = make_waveform(seed=seed)
        ours = transcribe(recognizer, waveform)
        assert len(ours) > 20
        assert hear(tmp_path / "out", waveform)[1] == ours.strip()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [["ab na ba ts tsang bana"], ["a|b <pad> | na tsang"]], ids=["plain", "with-signs"])
def test_every_pair_of_labels_is_decoded_alike(kind: str, texts: list[str], tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    vocabulary = vocabulary_of(texts * 3, kind)
    for name, content in tokenizer_files(vocabulary).items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    ids = range(1, len(vocabulary))
    for first in ids:
        for second in ids:
            assert tokenizer.decode([first, 0, 0, second, second, 0]) == vocabulary.decode([first, second]).strip()


def test_characters_are_encoded_as_lowres_encodes_them(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    vocabulary = vocabulary_of(["bá ɓa ngo"], "characters")
    for name, content in tokenizer_files(vocabulary).items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    assert AutoTokenizer.from_pretrained(tmp_path)("ngo bá ɓa").input_ids == vocabulary.encode("ngo bá ɓa")


def test_where_text_is_encoded_otherwise_the_card_says_so(tmp_path: Path) -> None:
    assert encodes_text(vocabulary_of(["bá ɓa ngo"], "characters"))
    assert not encodes_text(vocabulary_of(["bá | ngo"], "characters"))
    write_transformers_folder(make_recognizer(kind="graphemes"), tmp_path / "out", MBOSHI)
    assert "for decoding only" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_padding_is_masked_where_every_norm_is_over_channels(tmp_path: Path) -> None:
    recognizer = make_recognizer("large", head_gain=1.0)
    write_transformers_folder(recognizer, tmp_path / "out", MBOSHI)
    model, processor = load(tmp_path / "out")
    short, long = make_waveform(20_000), make_waveform(33_000)
    inputs = processor([short.numpy(), long.numpy()], sampling_rate=16_000, return_tensors="pt", padding=True)
    with torch.no_grad():
        theirs = model(**inputs).logits[0]
    ours = our_logits(recognizer, short)[0]
    assert_close(ours, theirs[: len(ours)], atol=1e-4, rtol=1e-4)


def test_nothing_but_the_folder_is_left_and_others_may_read_it(tmp_path: Path) -> None:
    write_transformers_folder(make_recognizer(), tmp_path / "out", MBOSHI)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert len(modes) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.json",
    ]


def test_the_model_card_says_what_it_is_and_what_is_forbidden(tmp_path: Path) -> None:
    write_transformers_folder(make_recognizer(), tmp_path / "out", MBOSHI)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    header = card.split("---")[1]
    assert "license: other" in header  # what the corpus allows is not known
    assert 'language: ["mdw"]' in header
    for fact in (
        "Mboshi (mdw)",
        "1.50 h",
        "31.2 %",
        "10.0 %",
        "made \\| up",
        "not allowed by the backbone's licence",
        "one utterance at a time",
    ):
        assert fact in card


@pytest.mark.parametrize(
    ("backbone", "corpus", "header", "forbidden"),
    [
        ("Apache-2.0", "Apache-2.0", "apache-2.0", []),
        ("Apache-2.0", "CC-BY-NC-ND-4.0", "other", ["the corpus's licence (CC-BY-NC-ND-4.0)"]),
        ("CC-BY-NC-4.0", "", "other", ["the backbone's licence (CC-BY-NC-4.0)"]),
        ("", "MIT", "mit", []),
        ("", "", "other", []),
    ],
)
def test_the_licence_of_the_card_is_that_of_all_it_was_made_from(
    backbone: str, corpus: str, header: str, forbidden: list[str]
) -> None:
    training = {"corpus": "tapes", "corpus_licence": corpus, "corpus_consent": "", "hours": 1.0}
    metadata = CheckpointMetadata(
        kind="recognizer",
        model_config={},
        backbone_licence=backbone,
        training=training | {"pseudo_labelled_hours": 0.25},
    )
    card = model_card(metadata, MBOSHI, ())
    assert f"\nlicense: {header}\n" in card
    assert against_commercial_use(metadata) == forbidden
    assert "and 0.25 h as an earlier recogniser heard it" in card
    assert "| Consent of its speakers | not stated |" in card


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(CheckpointError, match="exists already"):
        write_transformers_folder(make_recognizer(), tmp_path, MBOSHI)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_adapters_that_transformers_would_ignore_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="adapters only in networks whose norm comes first"):
        write_transformers_folder(make_recognizer("base", adapter_width=4), tmp_path / "out", MBOSHI)
    assert list(tmp_path.iterdir()) == []


def test_data2vecs_positional_embedding_is_refused_where_transformers_has_other_norms(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="only in networks with data2vec's norms"):
        write_transformers_folder(make_recognizer("xs", positional_layers=2), tmp_path / "out", MBOSHI)


def test_log_mel_bands_are_refused_naming_the_way_that_there_is(tmp_path: Path) -> None:
    recognizer = make_recognizer("xs", front_end="log_mel", conv_layers=((24, 400, 160), (16, 3, 2)))
    with pytest.raises(CheckpointError, match="log-mel bands") as caught:
        write_transformers_folder(recognizer, tmp_path / "out", MBOSHI)
    assert "onnx" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_network_without_masking_leaves_no_tensor_over(tmp_path: Path) -> None:
    recognizer = make_recognizer(span_start_probability=0.0, channel_span_start_probability=0.0)
    write_transformers_folder(recognizer, tmp_path / "out", MBOSHI)
    load(tmp_path / "out")


@pytest.mark.slow
def test_writing_needs_no_transformers() -> None:
    code = "import sys, lowres.backbones.export_transformers; print('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
