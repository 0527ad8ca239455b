"""A recogniser as a folder that transformers' `AutoModelForCTC` and `Wav2Vec2Processor` load; without transformers."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from safetensors.torch import save_file

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.card_results import Result
from lowres.backbones.checkpoint_folder import demand_free
from lowres.backbones.low_rank_merging import without_low_rank_updates
from lowres.backbones.model_card import Language, model_card
from lowres.backbones.native import Recognizer
from lowres.backbones.transformers_layout import (
    model_type,
    recognizer_names,
    transformers_config,
    under_transformers_names,
)
from lowres.backbones.transformers_vocabulary import encodes_text, tokenizer_files
from lowres.errors import CheckpointError
from lowres.model.config import Wav2Vec2Config
from lowres.model.ctc import CTCRecognizer

_ARCHITECTURES: Final = {"wav2vec2": "Wav2Vec2ForCTC", "data2vec-audio": "Data2VecAudioForCTC"}
_MASK_EMBEDDING: Final = "backbone.mask_embedding"


def write_transformers_folder(
    recognizer: Recognizer, folder: Path, language: Language, *, results: Sequence[Result] = ()
) -> tuple[str, ...]:
    """Write a recogniser for transformers; low-rank updates are merged into the weights.

    Args:
        recognizer: any whose network transformers has.
        folder: is made, with its parents; it appears only when it is whole.
        language, results: for the model card.

    Returns:
        Sentences that whoever uses the folder must know; the model card has them too.

    Raises:
        CheckpointError: the folder exists and is not empty, or transformers has no such network.
        OSError: the disk is full or refuses.
    """
    folder = folder.absolute()  # "." has no name of its own
    demand_free(folder)
    _check_is_known(recognizer.model.backbone.config)
    limits = _limits(recognizer)
    model = without_low_rank_updates(recognizer.model)
    contents = {
        "config.json": _config(model),
        "preprocessor_config.json": _preprocessor_config(model.backbone.config),
        **tokenizer_files(recognizer.vocabulary),
    }
    writing = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)
    try:
        for name, content in contents.items():
            text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            (writing / name).write_text(text, encoding="utf-8", newline="\n")
        _write_weights(model, writing / "model.safetensors")
        card = model_card(recognizer.metadata, language, limits, results=results)
        (writing / "README.md").write_text(card, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()  # empty, as was checked
        writing.rename(folder)
    except BaseException:
        shutil.rmtree(writing, ignore_errors=True)
        raise
    return limits


def _check_is_known(config: Wav2Vec2Config) -> None:
    if config.front_end == "log_mel":
        raise CheckpointError(
            "transformers has no wav2vec 2.0 that reads log-mel bands, and this recogniser does.",
            "Export it with --to onnx.",
        )
    if config.adapter_width and config.transformer_norm == "post":
        raise CheckpointError(
            "transformers has adapters only in networks whose norm comes first (LARGE, XLS-R, MMS), "
            "and this one's comes last (BASE).",
            "Export it with --to onnx, or fine-tune with finetune.adaptation=lora, which is merged into the weights.",
        )
    if config.positional_layers > 1 and (config.transformer_norm, config.feature_norm) != ("post", "layer"):
        raise CheckpointError(
            "transformers has data2vec's positional embedding only in networks with data2vec's norms.",
            "Export it with --to onnx.",
        )


def _limits(recognizer: Recognizer) -> tuple[str, ...]:
    limits = []
    if recognizer.model.backbone.config.feature_norm == "group":
        limits.append(
            "Give transformers one utterance at a time: this network's group norm there looks at padding, "
            "so that the text would change with the batch."
        )
    if not encodes_text(recognizer.vocabulary):
        limits.append(
            "The tokenizer is for decoding only: transformers would cut text into these labels by other rules, "
            "so train further in lowres."
        )
    return tuple(limits)


def _config(model: CTCRecognizer) -> dict[str, Any]:
    config = model.backbone.config
    return {
        "architectures": [_ARCHITECTURES[model_type(config)]],
        "model_type": model_type(config),
        "dtype": "float32",
        "vocab_size": model.head.out_features,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": None,
        "ctc_loss_reduction": "mean",
        "ctc_zero_infinity": True,
        "apply_spec_augment": _masks(config),
        **transformers_config(config),
    }


def _masks(config: Wav2Vec2Config) -> bool:
    return config.span_start_probability > 0 or config.channel_span_start_probability > 0


def _preprocessor_config(config: Wav2Vec2Config) -> dict[str, Any]:
    return {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "processor_class": "Wav2Vec2Processor",
        "feature_size": 1,
        "sampling_rate": SAMPLE_RATE,
        "padding_side": "right",
        "padding_value": 0.0,
        "do_normalize": config.normalize_waveforms,
        "return_attention_mask": config.feature_norm == "layer",
    }


def _write_weights(model: CTCRecognizer, path: Path) -> None:
    tensors = model.state_dict()
    if not _masks(model.backbone.config):
        del tensors[_MASK_EMBEDDING]  # transformers has none where nothing is masked
    renamed = under_transformers_names(tensors, recognizer_names(model.backbone.config))
    # Copies, because queries, keys and values are parts of one tensor, which safetensors does not write.
    save_file({name: tensor.cpu().clone() for name, tensor in renamed.items()}, path, metadata={"format": "pt"})
    shutil.copymode(path.with_name("config.json"), path)  # safetensors lets nobody else read it
