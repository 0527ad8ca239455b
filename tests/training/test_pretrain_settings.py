import math
from dataclasses import fields, replace

import pytest

from lowres.model.config import preset
from lowres.training.pretrain_corpus import PretrainCorpus
from lowres.training.pretrain_settings import PretrainSettings, defaults_for_size, settle_pretraining

MAY_STAY_OPEN = {"micro_batch_seconds", "minutes", "evaluate_every_updates", "gumbel_factor"}


def settled(size: str, *, is_continued: bool = False, **given: object) -> PretrainSettings:
    return settle_pretraining(PretrainSettings(**given), preset(size), is_continued=is_continued)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", ["xs", "base", "large", "xlsr_1b"])
def test_after_settling_only_the_machine_and_the_user_leave_gaps(size: str) -> None:
    found = settled(size)
    assert {field.name for field in fields(found) if getattr(found, field.name) is None} == MAY_STAY_OPEN


def test_base_is_pretrained_with_the_published_numbers() -> None:
    found = settled("base")
    assert (found.learning_rate, found.updates, found.seconds_per_update) == (5e-4, 400_000, 1.6 * 3600)
    assert (found.span_start_probability, found.span_length, found.num_distractors) == (0.065, 10, 100)
    assert (found.num_codebooks, found.num_entries, found.code_width) == (2, 320, 2 * 128)
    assert (found.gumbel_start, found.gumbel_end, found.temperature) == (2.0, 0.5, 0.1)
    assert (found.diversity_weight, found.latent_penalty_weight, found.feature_gradient_scale) == (0.1, 10, 0.1)
    assert (found.dropout, found.layer_drop, found.crop_seconds) == (0.1, 0.05, 15.6)


def test_large_is_pretrained_with_the_published_numbers() -> None:
    found = settled("large")
    assert (found.learning_rate, found.updates, found.seconds_per_update) == (3e-4, 250_000, 2.7 * 3600)
    assert (found.code_width, found.projection_width, found.gumbel_end, found.crop_seconds) == (768, 768, 0.1, 20)
    assert (found.latent_penalty_weight, found.feature_gradient_scale, found.layer_drop) == (0, 1, 0)
    assert (found.dropout, found.input_dropout, found.latent_dropout, found.attention_dropout) == (0, 0, 0, 0)
    assert found.activation_checkpointing
    assert settled("xlsr_1b").updates == 1_000_000


def test_channels_are_not_masked_in_pretraining() -> None:
    assert settled("xs").channel_span_start_probability == 0


def test_what_the_recipe_says_wins_over_the_size() -> None:
    found = settled("base", learning_rate=1e-3, layer_drop=0.2, updates=50, activation_checkpointing=True)
    assert (found.learning_rate, found.layer_drop, found.updates) == (1e-3, 0.2, 50)
    assert found.activation_checkpointing
    assert found.dropout == 0.1


def test_going_on_from_a_backbone_is_gentler_and_keeps_what_its_codes_mean() -> None:
    found = settled("base", is_continued=True)
    assert found.learning_rate == pytest.approx(1e-4)
    assert found.updates == 40_000
    assert found.gumbel_start == found.gumbel_end == 0.5
    assert settled("base", is_continued=True, reset_codebooks=True).gumbel_start == 2.0


def test_other_numbers_of_codebooks_keep_the_width_of_each() -> None:
    assert settled("base", num_codebooks=3).code_width == 384
    assert settled("base", gumbel_end=3.0).gumbel_start == 3.0
    assert settled("base", gumbel_start=0.4).gumbel_end == 0.4
    kept = settled("base", gumbel_start=0.4, is_continued=True)
    assert (kept.gumbel_start, kept.gumbel_end) == (0.4, 0.4)
    assert settled("base", shortest_seconds=18.0).crop_seconds == 18.0


def test_settling_twice_changes_nothing() -> None:
    found = settled("xs")
    assert settle_pretraining(found, preset("xs"), is_continued=False) == found


@pytest.mark.parametrize(
    "wrong",
    [
        {"updates": 0}, {"learning_rate": -1.0}, {"dropout": 1.0}, {"seed": -1}, {"language_alpha": 1.5},
        {"gumbel_factor": 1.1}, {"num_distractors": 0}, {"held_out_seconds": -1.0}, {"span_length": 0},
        {"crop_seconds": 0.5}, {"code_width": 255}, {"gumbel_start": 0.1, "gumbel_end": 0.5},
        {"minutes": math.nan}, {"minutes": math.inf}, {"seed": 2**63}, {"adam_beta1": 1.0}, {"adam_beta2": 1.0},
        {"adam_epsilon": 0.0}, {"span_length": 2**20 + 1}, {"channel_span_length": 2**20 + 1},
        {"span_start_probability": 0.0},
    ],
)  # fmt: skip
def test_values_no_run_could_use_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PretrainSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (PretrainCorpus(recipe="yoruba"), "yoruba"),
        (PretrainCorpus(recipe="recipes/mine.toml"), "mine"),
        (PretrainCorpus(recipe="../neighbour/lowres.toml"), "neighbour"),
        (PretrainCorpus(folder="../archive/corpus"), "archive"),
        (PretrainCorpus(folder="/data/kalahari"), "kalahari"),
        (PretrainCorpus(folder="/data/kalahari", name="san"), "san"),
    ],
)
def test_a_corpus_is_called_after_its_recipe_or_folder(entry: PretrainCorpus, name: str) -> None:
    assert entry.called == name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, 'recipe = "NAME" or folder'),
        ({"recipe": "a", "folder": "b"}, 'recipe = "NAME" or folder'),
        ({"recipe": "a", "splits": ("trian",)}, "trian"),
        ({"recipe": "a", "splits": ()}, "at least one of train"),
        ({"recipe": "a", "name": "../b"}, "must not be a path"),
        ({"folder": "a", "set": ("text.rules=[]",)}, "no effect"),
    ],
)
def test_entries_that_name_no_corpus_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PretrainCorpus(**wrong)  # type: ignore[arg-type]


def test_two_corpora_of_one_name_are_refused() -> None:
    entry = PretrainCorpus(recipe="yoruba")
    with pytest.raises(ValueError, match="called 'yoruba'"):
        PretrainSettings(corpora=(entry, entry))
    PretrainSettings(corpora=(entry, replace(entry, name="again")))


def test_sizes_between_the_published_ones_follow_the_nearest() -> None:
    assert defaults_for_size(replace(preset("base"), width=512, num_heads=8)) == defaults_for_size(preset("base"))
