import pytest
import torch
from tiny_pretraining import MIXTURE, SOURCES, build_network

from lowres.training.acoustic_start import NUM_BANDS, AcousticStart, log_mel_bands, start_acoustically
from lowres.training.mixture import MixturePosition, plan_mixture
from lowres.training.precision import Compute
from lowres.training.speech_feed import load_speech_update


def start(hours: float) -> tuple[AcousticStart, dict[str, torch.Tensor]]:
    network = build_network()
    updates = (load_speech_update(SOURCES, plan) for plan in plan_mixture(SOURCES, MIXTURE, start=MixturePosition()))
    torch.manual_seed(4)
    found = start_acoustically(network, updates, Compute("cpu", "fp32"), hours=hours, seed=1)
    assert found is not None
    return found, network.state_dict()


def test_a_tone_stands_out_in_its_own_band_of_every_frame() -> None:
    time = torch.arange(16_000) / 16_000
    peaks = []
    for hertz in (300.0, 1_000.0, 4_000.0):
        bands = log_mel_bands(torch.sin(2 * torch.pi * hertz * time), 49, 400, 320)
        assert bands.shape == (49, NUM_BANDS)
        assert len(bands.argmax(1).unique()) == 1
        peaks.append(int(bands[0].argmax()))
    assert peaks == sorted(set(peaks))


def test_the_bands_of_an_utterance_have_mean_0_and_variance_1() -> None:
    bands = log_mel_bands(torch.randn(8_000, generator=torch.Generator().manual_seed(1)), 24, 400, 320)
    assert abs(float(bands.mean())) < 1e-5
    assert abs(float(bands.std()) - 1.0) < 0.01


def test_silence_has_bands_that_are_numbers() -> None:
    assert torch.isfinite(log_mel_bands(torch.zeros(8_000), 24, 400, 320)).all()


@pytest.mark.slow
def test_the_encoder_learns_the_bands_and_hears_as_much_as_was_asked_for() -> None:
    found, _ = start(0.1)
    assert 0.1 <= found.hours < 0.103
    assert found.last_error < 0.8 * found.first_error


def test_the_same_seed_gives_the_same_start() -> None:
    first, second = (start(0.003)[1] for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
