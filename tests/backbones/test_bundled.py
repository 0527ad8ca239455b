"""The backbone that comes with lowres is small, whole, of the default size, and carried by the wheel."""

import tomllib
from pathlib import Path

import torch

from lowres.backbones.bundled import BUNDLED_FOLDER, BUNDLED_NAME
from lowres.backbones.catalogue import find_entry
from lowres.backbones.native import load_recognizer
from lowres.backbones.resolve import open_backbone
from lowres.model.config import DEFAULT_PRESET, preset, to_dict

ROOT = Path(__file__).resolve().parents[2]
SHAPE = ("front_end", "conv_layers", "width", "num_layers", "num_heads", "feed_forward_width", "positional_kernel")


def test_it_is_at_most_15_megabytes() -> None:
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.iterdir()) < 15e6


def test_it_is_opened_by_its_name_and_has_the_shape_of_the_default_size() -> None:
    backbone = open_backbone(BUNDLED_NAME)
    ours, default = to_dict(backbone.config), to_dict(preset(DEFAULT_PRESET))
    assert {name: ours[name] for name in SHAPE} == {name: default[name] for name in SHAPE}
    assert backbone.known_labels is not None
    assert {"a", "ẹ", "ʰ"} <= set(backbone.known_labels.tokens)
    assert all(torch.isfinite(weight).all() for weight in backbone.weights.values())


def test_the_catalogue_says_how_large_it_is() -> None:
    entry = find_entry(BUNDLED_NAME)
    assert entry is not None
    parameters = sum(weight.numel() for weight in load_recognizer(BUNDLED_FOLDER).model.state_dict().values())
    assert abs(entry.parameters / parameters - 1) < 0.03


def test_its_card_says_what_it_was_made_from_and_how_it_is_made_again() -> None:
    card = (BUNDLED_FOLDER / "README.md").read_text(encoding="utf-8")
    for needed in (
        "Yoruba",
        "Kinyarwanda",
        "Swahili",
        "Nigerian Pidgin",
        "East Tusom",
        "MIT",
        "multilingual_small",
        "Limits",
    ):
        assert needed in card, needed


def test_the_wheel_carries_whatever_lies_in_the_package() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["packages"] == ["lowres"]
    assert BUNDLED_FOLDER.relative_to(ROOT).parts[0] == "lowres"
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "*.safetensors" not in ignored
