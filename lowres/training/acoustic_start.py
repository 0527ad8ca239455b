"""A start for small networks with little time: the feature encoder first learns what a spectrogram says.

Not in the paper. From random weights the latents of neighbouring frames have next to nothing in common, so there is
nothing to predict for thousands of updates of 1.6 h each. Here the convolutions first learn to give log-mel bands, and
the quantiser is then fitted to their latents, so that its codes stand for sounds from the first update on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lowres.audio.constants import SAMPLE_RATE
from lowres.model.pretraining import PretrainingNetwork
from lowres.training.optimizer import AdamSettings, build_optimizer, clip_gradients, set_learning_rate
from lowres.training.precision import Compute
from lowres.training.self_supervision import seeded_generator
from lowres.training.speech_feed import SpeechBatch, SpeechUpdate

NUM_BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7_600.0
_PEAK_RATE = 2e-3
_WARMUP_SHARE, _CONSTANT_SHARE = 0.05, 0.45
_FITTING_FRAMES, _FITTING_BATCHES = 10_000, 20
_SIZE_WEIGHT = 0.1
"""Of the latents' mean square. Their norm hides it from the bands, and it grew to 100 in two minutes; pretraining's
latent penalty would then do nothing but shrink it, at the cost of everything learnt."""

_FAINTEST = 1e-6
"""Added to the energy of a band before its logarithm: quieter than any recording's noise."""


@dataclass(frozen=True)
class AcousticStart:
    """How it went."""

    hours: float
    """Hours of audio heard."""

    first_error: float
    last_error: float
    """Mean squared error of the log-mel bands, 1 being their variance: of the first and of the last tenth."""


def log_mel_bands(waveform: Tensor, num_frames: int, window_samples: int, hop_samples: int) -> Tensor:
    """Compute what a spectrogram says of the windows that the latents are computed from.

    Args:
        waveform: (S,) float32 at 16 kHz.
        num_frames: T, windows that lie wholly inside it.
        window_samples, hop_samples: of a frame: the receptive field and the stride of the feature encoder.

    Returns:
        (T, NUM_BANDS) float32, with mean 0 and variance 1 over the utterance.
    """
    from torchaudio.functional import melscale_fbanks  # only here, so that a broken torchaudio costs this alone

    window = torch.hann_window(window_samples, device=waveform.device)
    windows = waveform.unfold(0, window_samples, hop_samples)[:num_frames] * window
    energy = torch.fft.rfft(windows).abs().square()
    bands = melscale_fbanks(window_samples // 2 + 1, _LOWEST_HZ, _HIGHEST_HZ, NUM_BANDS, SAMPLE_RATE)
    levels: Tensor = (energy @ bands.to(energy.device) + _FAINTEST).log()
    return (levels - levels.mean()) / (levels.std() + 1e-3)


def start_acoustically(
    network: PretrainingNetwork,
    updates: Iterator[SpeechUpdate],
    compute: Compute,
    *,
    hours: float,
    seed: int,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> AcousticStart | None:
    """Teach the feature encoder log-mel bands, then fit the quantiser to its latents.

    Args:
        network: with random weights; its feature encoder, latent norm and quantiser change.
        updates: speech without end.
        compute: device and precision.
        hours: hours of audio to learn from, above 0.
        seed: of the quantiser's directions.
        is_stop_asked: asked after every update but the last; where several processes do this at once, it must answer
            all of them alike.

    Returns:
        How it went, or None where it was asked to stop: a start that was cut short is none to go on from.
    """
    backbone = network.backbone
    head = nn.Linear(backbone.config.latent_width, NUM_BANDS).to(compute.device)
    learners = nn.ModuleList([backbone.feature_encoder, backbone.latent_norm, head])
    optimizer = build_optimizer(learners, AdamSettings(epsilon=1e-8))
    wanted = hours * 3600 * SAMPLE_RATE
    heard, errors = 0, []
    kept: list[SpeechBatch] = []
    while heard < wanted:
        if heard and is_stop_asked():
            return None
        update = next(updates)
        for batch in update.batches:
            error, size = _mean_squares(network, head, batch, compute)
            ((error + _SIZE_WEIGHT * size) / len(update.batches)).backward()  # type: ignore[no-untyped-call]
            errors.append(float(error.detach()))
        clip_gradients(learners, 1.0)
        set_learning_rate(optimizer, _PEAK_RATE * _rate_scale(heard / wanted))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        heard += update.total_samples
        kept = [*kept, *update.batches][-_FITTING_BATCHES:]
    _fit_quantizer(network, kept, compute, seed)
    tenth = max(len(errors) // 10, 1)
    return AcousticStart(
        hours=heard / SAMPLE_RATE / 3600,
        first_error=sum(errors[:tenth]) / tenth,
        last_error=sum(errors[-tenth:]) / tenth,
    )


def _rate_scale(progress: float) -> float:
    if progress < _WARMUP_SHARE:
        return (progress + 0.005) / (_WARMUP_SHARE + 0.005)
    decayed = max(progress - _WARMUP_SHARE - _CONSTANT_SHARE, 0.0) / (1.0 - _WARMUP_SHARE - _CONSTANT_SHARE)
    return max(1.0 - decayed, 0.02)


def _mean_squares(
    network: PretrainingNetwork, head: nn.Module, batch: SpeechBatch, compute: Compute
) -> tuple[Tensor, Tensor]:
    """Return the mean squares of the bands' error and of the latents before their norm."""
    backbone = network.backbone
    waveforms = batch.waveforms.to(compute.device)
    with compute.autocast():
        encoded, latents = backbone.latent_rows(waveforms, batch.num_samples)
        predicted = head(latents).float()
    config = backbone.config
    targets = [
        log_mel_bands(waveform[:length], frames, config.receptive_field_samples, config.samples_per_frame)
        for waveform, length, frames in zip(
            waveforms, batch.num_samples.tolist(), backbone.count_frames(batch.num_samples), strict=True
        )
        if frames > 0
    ]
    return functional.mse_loss(predicted, torch.cat(targets)), encoded.float().square().mean()


def _fit_quantizer(network: PretrainingNetwork, batches: list[SpeechBatch], compute: Compute, seed: int) -> None:
    """Fit the quantiser to the latents of the speech that was heard last."""
    latents: list[Tensor] = []
    with torch.no_grad(), compute.autocast():
        for batch in reversed(batches):
            _, rows = network.backbone.latent_rows(batch.waveforms.to(compute.device), batch.num_samples)
            latents.append(rows.float())
            if sum(map(len, latents)) >= _FITTING_FRAMES:
                break
    network.quantizer.fit(torch.cat(latents), seeded_generator(seed))
