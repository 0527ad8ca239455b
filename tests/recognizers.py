"""Small random recognisers with every kind of vocabulary, whose frames take all labels in turn."""

from typing import Any

import torch
from peers import randomize, tiny_config
from torch import Tensor

from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.native import Recognizer
from lowres.decoding.greedy import greedy_decode
from lowres.model.config import to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.text.vocabulary import Vocabulary, VocabularySettings, build_vocabulary

TEXTS = ["ba ɓa tsa na", "tsé ngo ba bá", "a ngo tsa ng é", "na na bo ɓo", "ŋo | ba", "<pad> <s> tsa"]
KINDS = {
    "characters": VocabularySettings("characters"),
    "graphemes": VocabularySettings("graphemes", graphemes=("ts", "ng", "<pad>")),
    "sentencepiece": VocabularySettings("sentencepiece", size=30),
}
LARGE: dict[str, Any] = {
    "feature_norm": "layer",
    "conv_bias": True,
    "transformer_norm": "pre",
    "normalize_waveforms": True,
}
DATA2VEC: dict[str, Any] = {
    "feature_norm": "layer",
    "normalize_waveforms": True,
    "positional_layers": 3,
    "positional_kernel": 5,
}
XS: dict[str, Any] = {"transformer_norm": "pre"}
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "xs": XS,
    "large": LARGE,
    "adapter": LARGE | {"adapter_width": 4},
    "lora": XS | {"lora_rank": 3},
    "data2vec": DATA2VEC,
}


def make_recognizer(
    variant: str = "base", kind: str = "characters", *, head_gain: float = 20.0, **more: Any
) -> Recognizer:
    vocabulary = build_vocabulary(TEXTS, KINDS[kind])
    config = tiny_config(**(VARIANTS[variant] | more))
    torch.manual_seed(3)
    model = CTCRecognizer(config, len(vocabulary)).eval()
    randomize(model, seed=2)
    with torch.no_grad():
        # Louder, so that neighbouring frames differ and every label is the best one somewhere.
        model.head.weight.mul_(head_gain)
    metadata = CheckpointMetadata(
        kind="recognizer",
        model_config=to_dict(config),
        vocabulary=vocabulary.to_json(),
        vocabulary_sha256=vocabulary.hash,
        step=1200,
        training={
            "hours": 1.5,
            "corpus": "made | up",
            "backbone": "runs/pre",
            "dev_word_error_rate": 0.3123,
            "dev_character_error_rate": 0.1,
        },
        backbone_licence="CC-BY-NC-4.0",
    )
    return Recognizer(model, vocabulary, metadata)


def make_waveform(num_samples: int = 48_000, seed: int = 1) -> Tensor:
    """Noise that changes every few frames, (S,)."""
    generator = torch.Generator().manual_seed(seed)
    loudness = torch.rand(num_samples // 1_000 + 1, generator=generator).repeat_interleave(1_000)[:num_samples]
    return torch.randn(num_samples, generator=generator) * loudness


def transcribe(recognizer: Recognizer, waveform: Tensor) -> str:
    """What lowres hears in (S,)."""
    with torch.no_grad():
        output = recognizer.model(waveform[None], torch.tensor([len(waveform)]))
    heard = greedy_decode(output.log_probs, output.num_frames)[0]
    return recognizer.vocabulary.decode(heard.token_ids)


def vocabulary_of(texts: list[str], kind: str) -> Vocabulary:
    return build_vocabulary(texts, KINDS[kind])
