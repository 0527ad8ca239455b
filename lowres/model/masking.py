"""Masking of spans of frames and of channels (paper section 3.1 and appendix A; after SpecAugment for channels)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lowres.model.config import Wav2Vec2Config


@dataclass(frozen=True)
class Masks:
    """What is hidden from the context network; B utterances, T frames of the longest one."""

    time: Tensor
    """(B, T) bool on the CPU, True = masked; never in padding."""

    channels: Tensor | None
    """(B, D) bool on the CPU, True = masked in all frames of the utterance; None masks no channel."""


def draw_masks(
    num_frames: Sequence[int], config: Wav2Vec2Config, generators: Sequence[torch.Generator] | torch.Generator
) -> Masks:
    """Draw the masks of a batch.

    Args:
        num_frames: true number of frames of each utterance.
        config: its four span numbers and its width are read.
        generators: CPU generators. One for each utterance, which draws first its time mask, then its channel mask, so
            that they do not depend on what it is batched with; or a single one, which draws all time masks and then
            all channel masks.
    """
    if isinstance(generators, torch.Generator):
        return _draw_masks(num_frames, config, generators)
    drawn = [_draw_masks([length], config, own) for length, own in zip(num_frames, generators, strict=True)]
    time_mask = torch.zeros(len(num_frames), max(num_frames), dtype=torch.bool)
    for row, masks, length in zip(time_mask, drawn, num_frames, strict=True):
        row[:length] = masks.time[0]
    channels = [masks.channels for masks in drawn if masks.channels is not None]
    return Masks(time_mask, torch.cat(channels) if channels else None)


def _draw_masks(num_frames: Sequence[int], config: Wav2Vec2Config, generator: torch.Generator) -> Masks:
    time_mask = sample_time_mask(
        num_frames,
        span_start_probability=config.span_start_probability,
        span_length=config.span_length,
        generator=generator,
    )
    if config.channel_span_start_probability == 0:
        return Masks(time_mask, None)
    channel_mask = sample_channel_mask(
        len(num_frames),
        config.width,
        span_start_probability=config.channel_span_start_probability,
        span_length=config.channel_span_length,
        generator=generator,
    )
    return Masks(time_mask, channel_mask)


def sample_time_mask(
    num_frames: Sequence[int], *, span_start_probability: float, span_length: int, generator: torch.Generator
) -> Tensor:
    """Choose the frames to mask.

    A share p of an utterance's frames, drawn without replacement and rounded at random, start a span of M frames; spans
    may overlap. Every utterance of at least two frames gets at least one span; in utterances no longer than M, a span
    is one frame shorter than the utterance. The paper lets any frame start a span; as in fairseq, a span here must fit
    into its utterance, so padding is never masked.

    Args:
        num_frames: true number of frames T of each utterance.
        span_start_probability: p, in [0, 1); 0 masks nothing.
        span_length: M >= 1 frames.
        generator: a CPU generator; the same state gives the same mask on every device.

    Returns:
        (B, T) bool on the CPU, True = masked.
    """
    mask = torch.zeros(len(num_frames), max(num_frames), dtype=torch.bool)
    if span_start_probability > 0:
        for row, length in zip(mask, num_frames, strict=True):
            if length >= 2:
                _mask_spans(row[:length], span_start_probability, min(span_length, length - 1), generator)
    return mask


def sample_channel_mask(
    num_utterances: int,
    num_channels: int,
    *,
    span_start_probability: float,
    span_length: int,
    generator: torch.Generator,
) -> Tensor:
    """Choose the channels to mask in all frames of each utterance: (B, D) bool on the CPU, True = masked."""
    mask = torch.zeros(num_utterances, num_channels, dtype=torch.bool)
    if span_start_probability > 0:
        for row in mask:
            _mask_spans(row, span_start_probability, min(span_length, num_channels - 1), generator)
    return mask


def _mask_spans(row: Tensor, span_start_probability: float, span_length: int, generator: torch.Generator) -> None:
    """Set `row` to True in at least one randomly placed span; spans lie wholly inside the row."""
    length = len(row)
    rounding = float(torch.rand((), generator=generator))
    num_spans = max(1, int(span_start_probability * length + rounding))
    starts = torch.randperm(length - span_length + 1, generator=generator)[:num_spans]
    row[(starts[:, None] + torch.arange(span_length)).flatten()] = True
