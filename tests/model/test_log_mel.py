"""Log-mel bands against torchaudio's, and the feature encoder that reads them."""

import pytest
import torch
from peers import tiny_config
from torch.nn import functional
from torch.testing import assert_close
from torchaudio.transforms import MelSpectrogram

from lowres.model.config import Wav2Vec2Config, num_frames_for, preset
from lowres.model.feature_encoder import FeatureEncoder
from lowres.model.log_mel import LogMelBands, LogMelEncoder, build_feature_encoder


def noise(num_samples: int, loudness: float = 0.1) -> torch.Tensor:
    return torch.randn(num_samples, generator=torch.Generator().manual_seed(0)) * loudness


def test_the_bands_are_those_of_torchaudio() -> None:
    waveform = noise(40_000)
    emphasized = torch.cat([waveform[:1], waveform[1:] - 0.97 * waveform[:-1]])
    theirs = MelSpectrogram(16_000, 512, 400, 160, f_min=20.0, f_max=7600.0, n_mels=80, center=False)
    levels = (theirs(functional.pad(emphasized, (56, 56))).t() + 1e-6).log()  # its windows lie in the middle of 512
    expected = (levels - levels.mean(0)) / (levels.std(0, unbiased=False) + 0.1)
    ours = LogMelBands(80, 400, 160)(waveform)
    assert ours.shape == ((40_000 - 400) // 160 + 1, 80)
    # Before a window's first sample there is nothing here, and the sample before it there; the window is 0 there.
    assert_close(ours, expected, atol=1e-3, rtol=1e-3)


def test_loudness_changes_nothing_that_matters() -> None:
    bands, waveform = LogMelBands(80, 400, 160), noise(16_000, loudness=1.0)
    assert_close(bands(waveform * 3), bands(waveform), atol=0.01, rtol=0)


def test_silence_has_bands_that_are_numbers() -> None:
    assert LogMelBands(80, 400, 160)(torch.zeros(4_000)).abs().max() == 0


def test_the_bands_stay_exact_under_autocast() -> None:
    bands, waveform = LogMelBands(80, 400, 160), noise(8_000)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(bands(waveform), LogMelBands(80, 400, 160)(waveform))
        assert bands(waveform).dtype == torch.float32


def test_frames_are_those_that_the_config_counts() -> None:
    config = preset("xs_mel")
    assert (config.samples_per_frame, config.receptive_field_samples) == (640, 1360)
    encoder = LogMelEncoder(config).eval()
    for num_samples in (1360, 1999, 2000, 33_333):
        frames = num_frames_for(num_samples, config)
        assert encoder(noise(num_samples)[None], [num_samples], [frames], torch.float32).shape == (frames, 256)


def test_the_convolutions_learn_and_a_checkpoint_holds_nothing_else() -> None:
    encoder = build_feature_encoder(preset("xs_mel"))
    encoder(noise(16_000)[None], [16_000], [23], torch.float32).square().sum().backward()
    assert set(encoder.state_dict()) == {"others.0.convolution.weight", "others.1.convolution.weight"}
    assert all(bool(parameter.grad.abs().sum() > 0) for parameter in encoder.parameters() if parameter.grad is not None)
    assert len(list(encoder.parameters())) == 2


def test_the_config_decides_which_encoder_is_built() -> None:
    assert isinstance(build_feature_encoder(tiny_config()), FeatureEncoder)
    assert isinstance(build_feature_encoder(preset("xs_mel")), LogMelEncoder)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (((80, 400, 160),), "a convolution must follow"),
        (((80, 100, 160), (16, 3, 2)), "2 <= hop <= window"),
        (((0, 400, 160), (16, 3, 2)), "conv_layers"),
        (((80, 400, 160), (16, 5, 2)), "stride <= kernel"),
    ],
)
def test_numbers_that_make_no_bands_are_refused(layers: tuple[tuple[int, int, int], ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Wav2Vec2Config(front_end="log_mel", conv_layers=layers)
