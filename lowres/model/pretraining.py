"""The network of pretraining: the backbone, the quantiser and the two projections (paper sections 2 and 3.2)."""

from dataclasses import dataclass

from torch import Tensor, nn

from lowres.model.config import QuantizerConfig, Wav2Vec2Config
from lowres.model.masking import Masks
from lowres.model.packing import pack
from lowres.model.quantizer import ProductQuantizer
from lowres.model.shapes import apply_linear
from lowres.model.wav2vec2 import Wav2Vec2


@dataclass(frozen=True)
class PretrainingOutput:
    """What the losses need. N_m masked frames, those of the utterances end to end; N true frames likewise."""

    predictions: Tensor
    """(N_m, W) the projected context at the masked frames."""

    targets: Tensor
    """(N_m, W) the projected quantised latents of the same frames."""

    codes: Tensor
    """(N_m, G) int64, the entries chosen for the targets."""

    probabilities: Tensor
    """(N_m, G, V) float32, see `QuantizedLatents`."""

    num_masked: tuple[int, ...]
    """(B,) masked frames M of each utterance; they sum to N_m."""

    unnormalized_latents: Tensor
    """(N, C) the feature encoder's output before its norm, for the penalty on its size."""

    num_frames: tuple[int, ...]
    """(B,) frames T of each utterance; they sum to N."""


class PretrainingNetwork(nn.Module):
    """Backbone, quantiser, and the projections of context and quantised latents into one space.

    Args:
        config: of the backbone.
        quantizer_config: of everything else.
        feature_gradient_scale: the gradient that reaches the feature encoder is multiplied by this: 0.1 in fairseq's
            BASE recipe (the paper's section 4.2), 1 in those of LARGE and XLS-R.
    """

    def __init__(
        self, config: Wav2Vec2Config, quantizer_config: QuantizerConfig, *, feature_gradient_scale: float = 0.1
    ) -> None:
        super().__init__()
        self.backbone = Wav2Vec2(config)
        self.quantizer = ProductQuantizer(config.latent_width, quantizer_config)
        self.context_projection = nn.Linear(config.width, quantizer_config.projection_width)
        self.target_projection = nn.Linear(quantizer_config.code_width, quantizer_config.projection_width)
        self.feature_gradient_scale = feature_gradient_scale

    def forward(
        self,
        waveforms: Tensor,
        num_samples: Tensor,
        *,
        masks: Masks,
        gumbel_temperature: float | None = None,
        gumbel_noise: Tensor | None = None,
    ) -> PretrainingOutput:
        """Predict the masked frames of a batch. Only they are quantised and projected.

        Args:
            waveforms: (B, S) float at 16 kHz; what lies behind an utterance's samples is never read.
            num_samples: (B,) int64 true lengths; on the CPU to spare a GPU a wait.
            masks: the frames to hide and to predict, and the channels to hide.
            gumbel_temperature: see `ProductQuantizer.forward`.
            gumbel_noise: (N_m, G, V) float32, that of the utterances end to end.

        Raises:
            ValueError: no utterance reaches one frame, or masks or noise are of another batch.
        """
        num_frames = self.backbone.count_frames(num_samples)
        places = pack(masks.time, num_frames).nonzero().squeeze(1).to(waveforms.device)
        rows = self.backbone.forward_rows(
            waveforms,
            num_samples,
            masks=masks,
            places=places,
            feature_gradient_scale=self.feature_gradient_scale,
        )
        quantized = self.quantizer(
            rows.latents.index_select(0, places), gumbel_temperature=gumbel_temperature, gumbel_noise=gumbel_noise
        )
        return PretrainingOutput(
            predictions=apply_linear(self.context_projection, rows.context),
            targets=apply_linear(self.target_projection, quantized.vectors),
            codes=quantized.codes,
            probabilities=quantized.probabilities,
            num_masked=tuple(masks.time.sum(1).tolist()),
            unnormalized_latents=rows.unnormalized_latents,
            num_frames=tuple(rows.num_frames),
        )
