import torch
from peers import tiny_config

from lowres.model.config import preset
from lowres.model.ctc import CTCRecognizer

WAVEFORMS = torch.randn(2, 8_000, generator=torch.Generator().manual_seed(0))
NUM_SAMPLES = torch.tensor([8_000, 5_000])


def names_with_gradient(recognizer: CTCRecognizer) -> set[str]:
    recognizer(WAVEFORMS, NUM_SAMPLES).log_probs.sum().backward()
    return {name for name, parameter in recognizer.named_parameters() if parameter.grad is not None}


def test_probabilities_sum_to_one_and_are_float32_under_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        output = CTCRecognizer(tiny_config(), 9)(WAVEFORMS, NUM_SAMPLES)
    assert output.logits.dtype == output.log_probs.dtype == torch.float32
    assert torch.allclose(output.log_probs.exp().sum(-1), torch.ones(2, 24))
    assert output.num_frames.tolist() == [24, 15]


def test_a_frozen_feature_encoder_gets_no_gradient_and_all_else_does() -> None:
    recognizer = CTCRecognizer(tiny_config(), 9)
    recognizer.freeze_feature_encoder(True)
    names = names_with_gradient(recognizer)
    assert not any("feature_encoder" in name for name in names)
    assert {"backbone.latent_norm.weight", "backbone.projection.weight", "head.weight"} <= names


def test_a_thawed_feature_encoder_is_trained_again() -> None:
    recognizer = CTCRecognizer(tiny_config(), 9)
    recognizer.freeze_feature_encoder(True)
    recognizer.freeze_feature_encoder(False)
    everything = {name for name, _ in recognizer.named_parameters()} - {"backbone.mask_embedding"}
    assert names_with_gradient(recognizer) == everything


def test_head_only_training_leaves_the_backbone_alone() -> None:
    recognizer = CTCRecognizer(tiny_config(), 9)
    recognizer.set_head_only(True)
    assert names_with_gradient(recognizer) == {"head.weight", "head.bias"}
    recognizer.set_head_only(False)
    assert len(names_with_gradient(recognizer)) > 2


def test_the_xs_size_has_about_six_million_parameters() -> None:
    num_parameters = sum(parameter.numel() for parameter in CTCRecognizer(preset("xs"), 40).parameters())
    assert 6.0e6 < num_parameters < 6.6e6


def test_base_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        recognizer = CTCRecognizer(preset("base"), 32)
    # facebook/wav2vec2-base-960h: 94 396 320.
    assert sum(parameter.numel() for parameter in recognizer.parameters()) == 94_396_320
