"""Values for fine-tuning that follow from the hours of speech, the size of the backbone and what of it learns.

From a backbone, the numbers are those of wav2vec 2.0's published configurations for 10 minutes, 1, 10 and 100 hours
(paper, section 4.3 and appendix B; fairseq's `config/finetuning/{base,vox}_{10m,1h,10h,100h}.yaml`); docs/ADAPTATION.md
shows them as a table. For adapters, the learning rate is that of the MMS example of Hugging Face. From random weights,
and from backbones smaller than BASE, nothing is published for so little speech; those numbers are ours. No torch here.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from lowres.training.schedule import NUM_EVALUATIONS
from lowres.training.settings import Adaptation, FinetuneSettings, dev_seconds_for


@dataclass(frozen=True)
class HourDefaults:
    """The values that follow from the hours of data; each field is described in `FinetuneSettings`."""

    learning_rate: float
    updates: int
    head_only_updates: int
    seconds_per_update: float
    time_span_start_probability: float
    time_span_length: int
    channel_span_start_probability: float
    channel_span_length: int
    dropout: float
    activation_dropout: float
    layer_drop: float
    weight_decay: float
    train_feature_encoder: bool


_HOURS_BELOW = (0.5, 5.0, 50.0)
"""Below these, the published configurations for 10 minutes, 1 hour and 10 hours; that for 100 hours above."""

_FROM_BASE = HourDefaults(
    learning_rate=5e-5, updates=13_000, head_only_updates=10_000, seconds_per_update=1_600.0,
    time_span_start_probability=0.065, time_span_length=10,
    channel_span_start_probability=0.25 / 64, channel_span_length=64,
    dropout=0.0, activation_dropout=0.1, layer_drop=0.1, weight_decay=0.0, train_feature_encoder=False,
)  # fmt: skip

_FROM_RANDOM = HourDefaults(
    learning_rate=1e-3, updates=6_000, head_only_updates=0, seconds_per_update=12.0,
    time_span_start_probability=0.01, time_span_length=10,
    channel_span_start_probability=0.0, channel_span_length=16,
    dropout=0.1, activation_dropout=0.1, layer_drop=0.0, weight_decay=0.01, train_feature_encoder=True,
)  # fmt: skip

_FEWEST_UTTERANCES_PER_UPDATE = 4
"""From random weights an update of one or two utterances is too noisy: Yoruba's, of 10.6 s each, stayed silent."""

_SMALLEST_PUBLISHED_WIDTH, _LARGE_WIDTH = 512, 1024


def defaults_for_hours(
    hours: float,
    *,
    mean_seconds: float = 3.0,
    backbone_width: int | None = None,
    adaptation: Adaptation = "full",
) -> HourDefaults:
    """Choose what follows from the hours of transcribed speech.

    Args:
        hours: hours of training speech, above 0. Under 30 minutes the published 10 minute configuration is used,
            under 5 hours the 1 hour one, under 50 hours the 10 hour one, and the 100 hour one above.
        mean_seconds: mean length of its utterances. Where nothing is published an update grows to hold four of them,
            and the updates become fewer, so that as much audio is heard.
        backbone_width: width of the backbone's context network (768 for BASE, 1024 and more for LARGE and XLS-R);
            None when training starts from random weights.
        adaptation: what of the backbone learns.

    Returns:
        The defaults; fairseq's mask probabilities (p x M) are divided by M here.
    """
    column = sum(hours >= limit for limit in _HOURS_BELOW)
    if backbone_width is None or backbone_width < _SMALLEST_PUBLISHED_WIDTH:
        defaults = _small_defaults(column, mean_seconds)
    elif backbone_width < _LARGE_WIDTH:
        defaults = _base_defaults(column)
    else:
        defaults = _large_defaults(column)
    if adaptation in ("adapter", "lora"):
        # What learns is little and begins as nothing: it needs no protection by a head trained first.
        defaults = replace(defaults, learning_rate=1e-3, head_only_updates=0, layer_drop=0.0)
    return defaults


def _small_defaults(column: int, mean_seconds: float) -> HourDefaults:
    # Few utterances are seen often: the updates grow with the data, the size of an update does not.
    seconds = max(_FROM_RANDOM.seconds_per_update, _FEWEST_UTTERANCES_PER_UPDATE * round(mean_seconds))
    updates = round((6_000, 15_000, 40_000, 80_000)[column] * _FROM_RANDOM.seconds_per_update / seconds)
    # From a small backbone the convolutions learn on: it heard too little for them to be left alone, and an hour of
    # Mboshi ended 2 % CER higher with them frozen (docs/RESULTS.md).
    return replace(_FROM_RANDOM, updates=updates, seconds_per_update=seconds)


def _base_defaults(column: int) -> HourDefaults:
    return replace(
        _FROM_BASE,
        learning_rate=(5e-5, 5e-5, 5e-5, 3e-5)[column],
        updates=(13_000, 13_000, 20_000, 80_000)[column],
        head_only_updates=(10_000, 10_000, 10_000, 0)[column],
        channel_span_start_probability=(0.25, 0.25, 0.5, 0.5)[column] / 64,
        layer_drop=(0.1, 0.1, 0.05, 0.1)[column],
    )


def _large_defaults(column: int) -> HourDefaults:
    return replace(
        _FROM_BASE,
        learning_rate=(1e-4, 3e-4, 1e-4, 3e-5)[column],
        updates=(13_000, 13_000, 20_000, 80_000)[column],
        time_span_start_probability=(0.065, 0.075, 0.075, 0.05)[column],
        channel_span_start_probability=(0.25, 0.25, 0.25, 0.5)[column] / 64,
    )


def with_hour_defaults(settings: FinetuneSettings, defaults: HourDefaults) -> FinetuneSettings:
    """Fill every field of `settings` that is None from `defaults`.

    Returns:
        Settings in which only `micro_batch_seconds`, `minutes` and, under a time budget, `evaluate_every_updates`
        can still be None. When the recipe gives `updates` but not `head_only_updates`, the head-only phase keeps its
        share of the run.
    """
    filled: dict[str, Any] = {
        field.name: getattr(defaults, field.name)
        for field in fields(HourDefaults)
        if getattr(settings, field.name) is None
    }
    updates = settings.updates or defaults.updates
    if settings.head_only_updates is None:
        filled["head_only_updates"] = round(defaults.head_only_updates / defaults.updates * updates)
    if settings.evaluate_every_updates is None and settings.minutes is None:
        filled["evaluate_every_updates"] = max(updates // NUM_EVALUATIONS, 1)
    filled["dev_seconds"] = dev_seconds_for(settings)
    return replace(settings, **filled)
