"""How the homes of wav2vec 2.0 spell transformers' tensor names: one table (`transformers_layout`) and the differences.

As published: transformers' `modeling_wav2vec2.py`, `modeling_hubert.py` and `modeling_data2vec_audio.py`; torchaudio's
`Wav2Vec2Model`; fairseq's `wav2vec2.py`, `hubert.py` and `data2vec_audio.py`; fairseq2's `models/wav2vec2`.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

PRETRAINING_HEADS: Final = ("quantizer.", "project_hid.", "project_q.")
"""Beginnings of the names, in transformers, of what only pretraining has."""

_TELLING: Final = (
    "feature_extractor.conv_layers.0.conv.weight",
    "feature_extractor.conv_layers.0.layer_norm.weight",
    "encoder.layer_norm.weight",
    "encoder.layers.0.final_layer_norm.weight",
)
"""Tensors that every network has and that together tell the homes apart."""


@dataclass(frozen=True)
class Spelling:
    """One home's names."""

    home: str
    """Its name in sentences."""

    differences: tuple[tuple[str, str], ...] = ()
    """Patterns in transformers' names and what stands in their place here, applied one after another."""

    left_out: tuple[tuple[str, str], ...] = ()
    """Patterns at the beginning of this home's names that lowres has no use for, and what they are, "" if no matter."""

    def spell(self, theirs: str) -> str:
        """Return transformers' name `theirs` as this home has it, without a prefix for the whole network."""
        for pattern, replacement in self.differences:
            theirs = re.sub(pattern, replacement, theirs)
        return theirs

    def why_left_out(self, name: str) -> str | None:
        """Say what the tensor `name` belongs to where it is to be left out, "" if no matter; None where it is not."""
        return next((what for pattern, what in self.left_out if re.match(pattern, name)), None)


_CTC_HEAD: Final = "The backbone's CTC head"
_PRETRAINING: Final = "What only the backbone's pretraining needed"
_COUNTER: Final = ""
"""Not worth a word."""

HUGGING_FACE: Final = Spelling(
    home="Hugging Face",
    left_out=(
        (r"lm_head\.", _CTC_HEAD),
        (r"quantizer\.|project_hid\.|project_q\.|final_proj\.|label_embs_concat$", _PRETRAINING),
        (r"dropout_features\.", _PRETRAINING),
    ),
)

TORCHAUDIO: Final = Spelling(
    home="torchaudio",
    differences=(
        (r"^encoder\.", "encoder.transformer."),
        (r"^feature_projection\.", "encoder.feature_projection."),
    ),
    left_out=((r"aux\.", _CTC_HEAD),),
)

_FAIRSEQ: Final = (
    (r"(conv_layers\.\d+)\.conv\.", r"\1.0."),
    (r"(conv_layers\.\d+)\.layer_norm\.", r"\1.2.1."),
    (r"^feature_projection\.layer_norm\.", "layer_norm."),
    (r"^feature_projection\.projection\.", "post_extract_proj."),
    (r"^masked_spec_embed$", "mask_emb"),
    (r"pos_conv_embed\.layers\.(\d+)\.conv\.", r"pos_conv.\1.0."),
    (r"pos_conv_embed\.conv\.", "pos_conv.0."),
    (r"(encoder\.layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"\.attention\.", ".self_attn."),
    (r"\.feed_forward\.intermediate_dense\.", ".fc1."),
    (r"\.feed_forward\.output_dense\.", ".fc2."),
    (r"^quantizer\.codevectors$", "quantizer.vars"),
    (r"^project_hid\.", "final_proj."),
)
_FAIRSEQ2: Final = (
    (r"^feature_extractor\.conv_layers\.", "encoder_frontend.feature_extractor.layers."),
    (r"^feature_projection\.layer_norm\.", "encoder_frontend.post_extract_layer_norm."),
    (r"^feature_projection\.projection\.", "encoder_frontend.model_dim_proj."),
    (r"^masked_spec_embed$", "masker.temporal_mask_embed"),
    (r"^encoder\.pos_conv_embed\.", "encoder_frontend.pos_encoder."),
    (r"(encoder\.layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"\.final_layer_norm\.", ".ffn_layer_norm."),
    (r"\.attention\.out_proj\.", ".attention.output_proj."),
    (r"\.attention\.", ".self_attn."),
    (r"\.feed_forward\.intermediate_dense\.", ".ffn.inner_proj."),
    (r"\.feed_forward\.output_dense\.", ".ffn.output_proj."),
    (r"^quantizer\.codevectors$", "quantizer.entries"),
    (r"^quantizer\.weight_proj\.", "quantizer.entry_proj."),
    (r"^project_hid\.", "final_proj."),
    (r"^project_q\.", "final_target_proj."),
)


def fairseq(*, norms_first_only: bool) -> Spelling:
    """Return fairseq's names; where only the first convolution has a norm, that is not wrapped into anything."""
    first = ((r"(conv_layers\.0)\.layer_norm\.", r"\1.2."),) if norms_first_only else ()
    heads = r"(w2v_encoder\.w2v_model\.)?(quantizer|project_q|final_proj|label_embs_concat|target_glu|_ema)\b"
    return Spelling(
        home="fairseq",
        differences=(*first, *_FAIRSEQ),
        left_out=((r"(w2v_encoder\.)?proj\.", _CTC_HEAD), (heads, _PRETRAINING), (r"num_updates$", _COUNTER)),
    )


def fairseq2(*, norms_first_only: bool, is_post_norm: bool) -> Spelling:
    """Return fairseq2's names; where norms come after each addition, the one before the blocks is the frontend's."""
    first = ((r"(conv_layers\.0)\.layer_norm\.", r"\1.group_norm."),) if norms_first_only else ()
    norm = ((r"^encoder\.layer_norm\.", "encoder_frontend.layer_norm."),) if is_post_norm else ()
    return Spelling(
        home="fairseq2",
        differences=(*first, *norm, *_FAIRSEQ2),
        left_out=(
            (r"quantizer\.num_updates$", _COUNTER),
            (r"quantizer\.|final_target_proj\.", _PRETRAINING),
            (r"final_proj\.", _CTC_HEAD),
        ),
    )


def spelling_of(names: Collection[str], choices: Sequence[Spelling] = ()) -> tuple[Spelling, str] | None:
    """Recognise whose names a file of tensors has.

    Args:
        names: of the tensors.
        choices: whose they may be; none means anybody's.

    Returns:
        The spelling and what stands before every name of the network, those that fit best; None where none fits.
    """
    found, best, most = set(names), None, 1
    for spelling in choices or _everybody():
        telling = [spelling.spell(name) for name in _TELLING]
        prefixes = {name.removesuffix(one) for one in telling for name in found if name.endswith(one)}
        for prefix in sorted(prefixes):
            num_found = sum(prefix + one in found for one in telling)
            if num_found > most:
                best, most = (spelling, prefix), num_found
    return best


def _everybody() -> Iterator[Spelling]:
    for is_first_only in (False, True):
        yield fairseq(norms_first_only=is_first_only)
        for is_post_norm in (False, True):
            yield fairseq2(norms_first_only=is_first_only, is_post_norm=is_post_norm)
    yield from (TORCHAUDIO, HUGGING_FACE)
