import math
from dataclasses import fields

import pytest

from lowres.training.finetune_defaults import HourDefaults, defaults_for_hours, with_hour_defaults
from lowres.training.settings import FinetuneSettings, dev_seconds_for, known


@pytest.mark.parametrize(
    ("hours", "width", "learning_rate", "updates", "head_only", "channel_mask", "layer_drop"),
    [
        (1 / 6, 768, 5e-5, 13_000, 10_000, 0.25, 0.1),
        (1.0, 768, 5e-5, 13_000, 10_000, 0.25, 0.1),
        (10.0, 768, 5e-5, 20_000, 10_000, 0.5, 0.05),
        (100.0, 768, 3e-5, 80_000, 0, 0.5, 0.1),
        (1 / 6, 1024, 1e-4, 13_000, 10_000, 0.25, 0.1),
        (1.0, 1024, 3e-4, 13_000, 10_000, 0.25, 0.1),
        (10.0, 1024, 1e-4, 20_000, 10_000, 0.25, 0.1),
        (100.0, 1024, 3e-5, 80_000, 10_000, 0.5, 0.1),
    ],
)
def test_a_backbone_is_fine_tuned_with_the_published_numbers(
    hours: float,
    width: int,
    learning_rate: float,
    updates: int,
    head_only: int,
    channel_mask: float,
    layer_drop: float,
) -> None:
    found = defaults_for_hours(hours, backbone_width=width)
    assert (found.learning_rate, found.updates, found.head_only_updates) == (learning_rate, updates, head_only)
    assert found.channel_span_start_probability * found.channel_span_length == pytest.approx(channel_mask)
    assert found.layer_drop == layer_drop
    assert found.seconds_per_update == 1600
    assert not found.train_feature_encoder


def test_random_weights_are_never_trained_head_only_and_train_the_feature_encoder() -> None:
    for hours in (0.2, 1.0, 10.0):
        found = defaults_for_hours(hours)
        assert found.head_only_updates == 0
        assert found.train_feature_encoder


def test_adapters_and_low_rank_updates_learn_fast_and_from_the_first_update_on() -> None:
    for adaptation in ("adapter", "lora"):
        found = defaults_for_hours(1.0, backbone_width=1024, adaptation=adaptation)
        assert (found.learning_rate, found.head_only_updates, found.layer_drop) == (1e-3, 0, 0.0)


def test_a_backbone_smaller_than_any_published_learns_as_random_weights_do() -> None:
    assert defaults_for_hours(1.0, backbone_width=256) == defaults_for_hours(1.0)


def test_updates_from_random_weights_hold_four_utterances_and_the_run_hears_as_much_audio() -> None:
    short, long = defaults_for_hours(1.0, mean_seconds=3.1), defaults_for_hours(1.0, mean_seconds=10.6)
    assert (short.seconds_per_update, long.seconds_per_update) == (12.0, 44.0)
    heard = [found.updates * found.seconds_per_update for found in (short, long)]
    assert heard[1] == pytest.approx(heard[0], rel=1e-3)


def test_what_the_recipe_says_wins_over_the_hours_of_data() -> None:
    asked = FinetuneSettings(learning_rate=1e-5, updates=100)
    filled = with_hour_defaults(asked, defaults_for_hours(1.0, backbone_width=768))
    assert filled.learning_rate == 1e-5
    assert filled.seconds_per_update == 1600


def test_a_shorter_run_keeps_the_share_of_its_head_only_phase() -> None:
    filled = with_hour_defaults(FinetuneSettings(updates=1300), defaults_for_hours(1.0, backbone_width=768))
    assert filled.head_only_updates == 1000


def test_every_default_by_hours_is_a_setting_of_the_recipe() -> None:
    assert {item.name for item in fields(HourDefaults)} <= {item.name for item in fields(FinetuneSettings)}


@pytest.mark.parametrize(
    "wrong",
    [
        {"updates": 0}, {"learning_rate": -1.0}, {"dropout": 1.0}, {"seed": -1}, {"minutes": 0.0},
        {"warmup_share": 1.2}, {"minutes": math.nan}, {"minutes": 1e308}, {"seed": 2**63},
        {"checkpoint_every_minutes": math.inf}, {"adam_beta1": 1.0}, {"adam_beta2": 1.0}, {"adam_epsilon": 0.0},
        {"time_span_length": 2**20 + 1}, {"channel_span_length": 2**20 + 1}, {"adapter_width": 2**20 + 1},
        {"lora_rank": 2**20 + 1},
    ],
)  # fmt: skip
def test_values_no_run_could_use_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FinetuneSettings(**wrong)  # type: ignore[arg-type]


def test_what_no_run_could_use_is_said_with_the_range() -> None:
    with pytest.raises(ValueError, match="checkpoint_every_minutes is inf: it must be at least 0 and finite"):
        FinetuneSettings(checkpoint_every_minutes=math.inf)
    with pytest.raises(ValueError, match="layer_drop is 1: it must be at least 0 and below 1"):
        FinetuneSettings(layer_drop=1)
    with pytest.raises(ValueError, match="speed_change is 1: it must be between 0 and"):
        FinetuneSettings(speed_change=1)


def test_a_schedule_without_a_decay_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is left for the decay"):
        FinetuneSettings(warmup_share=0.5, constant_share=0.6)


def test_asking_for_a_value_that_is_not_filled_in_is_a_defect() -> None:
    with pytest.raises(ValueError, match="learning_rate is not known yet"):
        known(FinetuneSettings().learning_rate, "learning_rate")


def test_a_short_budget_evaluates_on_less_dev_speech() -> None:
    assert dev_seconds_for(FinetuneSettings()) == 900
    assert dev_seconds_for(FinetuneSettings(minutes=4)) == 120
    assert dev_seconds_for(FinetuneSettings(minutes=600)) == 900
    assert dev_seconds_for(FinetuneSettings(minutes=4, dev_seconds=300)) == 300
