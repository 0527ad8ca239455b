"""wav2vec 2.0: feature encoder, masking and context network joined (paper section 2, figure 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.model.config import Wav2Vec2Config, num_frames_for
from lowres.model.context_network import ContextNetwork
from lowres.model.dropout import dropout
from lowres.model.feature_encoder import FeatureEncoder
from lowres.model.log_mel import LogMelEncoder, build_feature_encoder
from lowres.model.masking import Masks, draw_masks
from lowres.model.packing import pack, padding_mask_of, unpack
from lowres.model.shapes import ROWS_QUANTUM, num_missing


@dataclass(frozen=True)
class Encoded:
    """What the feature encoder makes of a batch, the utterances' frames laid end to end: N frames of C channels."""

    rows: Tensor
    """(N, C) the latents before their norm. No mask is in them, and no utterance's depend on the others'."""

    num_frames: list[int]
    """Frames of each utterance; they sum to N."""


@dataclass(frozen=True)
class Wav2Vec2Output:
    """What the backbone makes of a batch; B utterances, T frames of the longest one. Padding holds zeros."""

    context: Tensor
    """(B, T, D) the context network's output, c."""

    num_frames: Tensor
    """(B,) int64, true lengths in frames."""

    latents: Tensor
    """(B, T, C) the feature encoder's output, z, normalised, before projection and masking."""

    padding_mask: Tensor
    """(B, T) bool, True = padding."""

    time_mask: Tensor | None
    """(B, T) bool, True = masked; None when nothing was masked."""


@dataclass(frozen=True)
class Wav2Vec2Rows:
    """What the backbone makes of a batch, without padding: N true frames, the utterances' laid end to end."""

    context: Tensor
    """(N, D) the context network's output, c, or (P, D) of it."""

    latents: Tensor
    """(N, C) the feature encoder's output, z, normalised, before projection and masking."""

    unnormalized_latents: Tensor
    """(N, C) the feature encoder's output before its norm."""

    num_frames: list[int]
    """Frames of each utterance; they sum to N."""


class Wav2Vec2(nn.Module):
    """The backbone."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.config = config
        self.feature_encoder = build_feature_encoder(config)
        self.latent_norm = nn.LayerNorm(config.latent_width)
        self.projection = nn.Linear(config.latent_width, config.width)
        self.mask_embedding = nn.Parameter(torch.empty(config.width).uniform_())
        self.context_network = ContextNetwork(config)
        self.is_feature_encoder_frozen = False

    def freeze_feature_encoder(self, frozen: bool = True) -> None:
        """Stop (or resume) training the convolutions; no gradient is kept for them meanwhile."""
        self.is_feature_encoder_frozen = frozen
        self.feature_encoder.requires_grad_(not frozen)

    def forward(
        self, waveforms: Tensor, num_samples: Tensor, *, mask_generator: torch.Generator | None = None
    ) -> Wav2Vec2Output:
        """Compute latents and context, padded.

        Args:
            waveforms: (B, S) float at 16 kHz; what lies behind an utterance's samples is never read.
            num_samples: (B,) int64 true lengths; on the CPU to spare a GPU a wait.
            mask_generator: CPU generator that draws the masks. Without one nothing is masked, in training or not.

        Raises:
            ValueError: no utterance reaches one frame (400 samples as published).
        """
        return self.forward_encoded(self.encode(waveforms, num_samples), mask_generator=mask_generator)

    def forward_encoded(self, encoded: Encoded, *, mask_generator: torch.Generator | None = None) -> Wav2Vec2Output:
        """Compute latents and context, padded, from what `encode` returned; the generator as for `forward`."""
        num_frames, device = encoded.num_frames, encoded.rows.device
        masks = None if mask_generator is None else draw_masks(num_frames, self.config, mask_generator)
        rows = self._rows_of(encoded, masks)
        return Wav2Vec2Output(
            context=unpack(rows.context, num_frames),
            num_frames=torch.tensor(num_frames, device=device),
            latents=unpack(rows.latents, num_frames),
            padding_mask=padding_mask_of(num_frames, device),
            time_mask=None if masks is None else masks.time.to(device),
        )

    def forward_rows(
        self,
        waveforms: Tensor,
        num_samples: Tensor,
        *,
        masks: Masks | None,
        places: Tensor | None = None,
        feature_gradient_scale: float = 1.0,
    ) -> Wav2Vec2Rows:
        """Compute latents and context of the true frames only, the utterances' frames laid end to end.

        Args:
            waveforms: (B, S) float at 16 kHz; what lies behind an utterance's samples is never read.
            num_samples: (B,) int64 true lengths; on the CPU to spare a GPU a wait.
            masks: what to hide from the context network; None hides nothing.
            places: (P,) int64, the rows whose context is wanted; None for all. Others cost less.
            feature_gradient_scale: the gradient that reaches the feature encoder is multiplied by this.

        Raises:
            ValueError: no utterance reaches one frame (400 samples as published), or the masks are of another batch.
        """
        encoded = self.encode(waveforms, num_samples)
        if encoded.rows.requires_grad and feature_gradient_scale != 1.0:
            encoded.rows.register_hook(lambda gradient: gradient * feature_gradient_scale)  # type: ignore[no-untyped-call]
        return self._rows_of(encoded, masks, places)

    def latent_rows(self, waveforms: Tensor, num_samples: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the latents (N, C) alone, before and after their norm; arguments and errors as `forward_rows`."""
        encoded = self.encode(waveforms, num_samples)
        return encoded.rows, self.latent_norm(encoded.rows)

    def encode(self, waveforms: Tensor, num_samples: Tensor) -> Encoded:
        """Run the feature encoder alone; arguments and errors as `forward_rows`."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.is_feature_encoder_frozen):
            return encode(self.feature_encoder, self.config, waveforms, num_samples)

    def _rows_of(self, encoded: Encoded, masks: Masks | None, places: Tensor | None = None) -> Wav2Vec2Rows:
        num_frames = encoded.num_frames
        latents = self.latent_norm(encoded.rows)
        missing = num_missing(len(latents), ROWS_QUANTUM, latents.device)
        rows = self.projection(functional.pad(latents, (0, 0, 0, missing)))
        rows = dropout(rows, self.config.input_dropout, self.training)
        if masks is not None:
            rows = self._mask(rows, num_frames, masks)
        # The rows that fill up the batch go through the network as an utterance of their own.
        lengths = [length for length in (*num_frames, missing) if length > 0]
        if places is None:
            context = self.context_network(rows, lengths)[: len(latents)]
        else:
            # Filled up with repetitions of row 0, for the sake of few shapes.
            filled = functional.pad(places, (0, num_missing(len(places), ROWS_QUANTUM, places.device)))
            context = self.context_network(rows, lengths, filled)[: len(places)]
        return Wav2Vec2Rows(context, latents, encoded.rows, num_frames)

    def count_frames(self, num_samples: Tensor) -> list[int]:
        """Count the frames of utterances of these lengths; argument and errors as for the function of this name."""
        return count_frames(num_samples, self.config)

    def _mask(self, rows: Tensor, num_frames: Sequence[int], masks: Masks) -> Tensor:
        """Replace masked frames of rows (N or more, D) by the learned embedding, set masked channels to zero."""
        if masks.time.shape != (len(num_frames), max(num_frames)):
            raise ValueError(f"a time mask of {tuple(masks.time.shape)} for utterances of {num_frames} frames")
        num_filling = len(rows) - sum(num_frames)
        packed_mask = functional.pad(pack(masks.time.to(rows.device), num_frames), (0, num_filling))
        rows = torch.where(packed_mask[:, None], self.mask_embedding.to(rows.dtype), rows)
        if masks.channels is not None:
            frames = torch.tensor(num_frames, device=rows.device)
            packed_channels = masks.channels.to(rows.device).repeat_interleave(frames, dim=0)
            rows = rows.masked_fill(functional.pad(packed_channels, (0, 0, 0, num_filling)), 0.0)
        return rows


def encode(
    feature_encoder: FeatureEncoder | LogMelEncoder, config: Wav2Vec2Config, waveforms: Tensor, num_samples: Tensor
) -> Encoded:
    """Run a feature encoder, with or without its backbone around it.

    Args:
        feature_encoder: built as `config` says.
        config: whether waveforms are normalised first is read, and how many frames they have.
        waveforms: (B, S) float at 16 kHz; what lies behind an utterance's samples is never read.
        num_samples: (B,) int64 true lengths; on the CPU to spare a GPU a wait.

    Raises:
        ValueError: no utterance reaches one frame (400 samples as published).
    """
    lengths, num_frames = num_samples.tolist(), count_frames(num_samples, config)
    if config.normalize_waveforms:
        waveforms = _normalize_waveforms(waveforms, lengths)
    # Bands in int8 have no parameters left.
    dtype = _dtype_to_compute_in(next(feature_encoder.parameters(), waveforms))
    return Encoded(feature_encoder(waveforms, lengths, num_frames, dtype), num_frames)


def count_frames(num_samples: Tensor, config: Wav2Vec2Config) -> list[int]:
    """Count the frames of utterances of these lengths, num_samples (B,) int64.

    Raises:
        ValueError: no utterance reaches one frame (400 samples as published).
    """
    num_frames = [num_frames_for(length, config) for length in num_samples.tolist()]
    if not any(num_frames):
        raise ValueError(f"every utterance is shorter than {config.receptive_field_samples} samples")
    return num_frames


def _normalize_waveforms(waveforms: Tensor, num_samples: Sequence[int]) -> Tensor:
    """Bring each utterance's true samples to mean 0 and variance 1."""
    normalized = torch.zeros_like(waveforms)
    for target, waveform, length in zip(normalized, waveforms, num_samples, strict=True):
        true = waveform[:length]
        target[:length] = functional.layer_norm(true, true.shape, eps=1e-7)
    return normalized


def _dtype_to_compute_in(weight: Tensor) -> torch.dtype:
    device = weight.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
