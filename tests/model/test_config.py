from dataclasses import replace

import pytest

from lowres.model.config import (
    PRESETS,
    QuantizerConfig,
    Wav2Vec2Config,
    from_dict,
    num_frames_for,
    preset,
    quantizer_from_dict,
    quantizer_to_dict,
    to_dict,
)


@pytest.mark.parametrize(
    ("name", "width", "num_layers", "num_heads", "feed_forward_width", "feature_norm", "transformer_norm"),
    [
        ("xs", 256, 6, 4, 1024, "group", "pre"),
        ("base", 768, 12, 12, 3072, "group", "post"),
        ("large", 1024, 24, 16, 4096, "layer", "pre"),
        ("xlsr_300m", 1024, 24, 16, 4096, "layer", "pre"),
        ("xlsr_1b", 1280, 48, 16, 5120, "layer", "pre"),
    ],
)
def test_sizes_are_the_published_ones(
    name: str,
    width: int,
    num_layers: int,
    num_heads: int,
    feed_forward_width: int,
    feature_norm: str,
    transformer_norm: str,
) -> None:
    config = preset(name)
    assert (config.width, config.num_layers, config.num_heads) == (width, num_layers, num_heads)
    assert config.feed_forward_width == feed_forward_width
    assert (config.feature_norm, config.transformer_norm) == (feature_norm, transformer_norm)
    assert config.conv_bias == config.normalize_waveforms == (feature_norm == "layer")


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"xs_mel"}))
def test_every_published_size_sees_400_samples_and_makes_a_frame_every_320(name: str) -> None:
    assert preset(name).receptive_field_samples == 400
    assert preset(name).samples_per_frame == 320


@pytest.mark.parametrize(
    ("num_samples", "num_frames"), [(0, 0), (399, 0), (400, 1), (719, 1), (720, 2), (16_000, 49), (160_000, 499)]
)
def test_frames_are_counted_as_the_convolutions_make_them(num_samples: int, num_frames: int) -> None:
    assert num_frames_for(num_samples, preset("base")) == num_frames


def test_frames_of_any_length_follow_the_layers_one_by_one() -> None:
    config = replace(preset("base"), conv_layers=((8, 7, 4), (8, 3, 3), (8, 4, 2)))
    for num_samples in range(config.receptive_field_samples, 300):
        length = num_samples
        for _, kernel, stride in config.conv_layers:
            length = (length - kernel) // stride + 1
        assert num_frames_for(num_samples, config) == length


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_survives_its_plain_form(name: str) -> None:
    assert from_dict(to_dict(preset(name))) == preset(name)


def test_an_unknown_name_in_the_plain_form_is_refused() -> None:
    with pytest.raises(ValueError, match="heads"):
        from_dict(to_dict(preset("xs")) | {"heads": 4})


def test_an_unknown_size_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="xlsr_300m"):
        preset("huge")


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 100, "num_heads": 12},
        {"conv_layers": ((8, 11, 5),)},
        {"conv_layers": ()},
        {"dropout": 1.0},
        {"positional_groups": 0},
        {"positional_kernel": None},
        {"num_layers": "2"},
        {"width": 0},
        {"feed_forward_width": 3072.0},
        {"lora_rank": -1},
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Wav2Vec2Config(**wrong)  # type: ignore[arg-type]


def test_a_quantizers_config_survives_plain_data() -> None:
    config = QuantizerConfig(num_entries=64, code_width=128)
    assert quantizer_from_dict(quantizer_to_dict(config)) == config


def test_an_unknown_or_missing_name_of_a_quantizers_config_is_refused() -> None:
    data = quantizer_to_dict(QuantizerConfig())
    with pytest.raises(ValueError, match="groups"):
        quantizer_from_dict({**data, "groups": 2})
    with pytest.raises(ValueError, match="num_entries"):
        quantizer_from_dict({name: value for name, value in data.items() if name != "num_entries"})


@pytest.mark.parametrize(
    "numbers", [{"num_codebooks": 3}, {"num_entries": 0}, {"latent_dropout": 1.0}, {"latent_dropout": -0.1}]
)
def test_a_quantizer_whose_numbers_do_not_fit_is_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(numbers))):
        QuantizerConfig(**numbers)
