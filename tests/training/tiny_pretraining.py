"""A pretraining run small enough for a test, wholly in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lowres.model.config import QuantizerConfig, Wav2Vec2Config
from lowres.model.pretraining import PretrainingNetwork
from lowres.training.checkpoint import SavedTraining
from lowres.training.distributed import Processes, Sharding, SpreadNetwork, spread
from lowres.training.feed import Feed
from lowres.training.held_out import evaluate_held_out
from lowres.training.mixture import Crop, MixturePosition, MixtureSettings, MixtureUpdate, SpeechSource, plan_mixture
from lowres.training.optimizer import AdamSettings, build_optimizer
from lowres.training.precision import Compute
from lowres.training.pretraining_collapse import PretrainingCollapseRule
from lowres.training.pretraining_loop import PretrainingLoop
from lowres.training.pretraining_monitors import PretrainingSums
from lowres.training.pretraining_parts import PretrainingLoopSettings, PretrainingParts, PretrainingState
from lowres.training.schedule import GumbelSchedule, plan_for_updates
from lowres.training.self_supervision import LossWeights, keep_own, pretraining_loss_function
from lowres.training.speech_feed import SpeechUpdate, load_speech_update

CONFIG = Wav2Vec2Config(
    conv_layers=((8, 10, 5), *((8, 3, 2),) * 4, *((8, 2, 2),) * 2),
    transformer_norm="pre",
    width=16,
    num_layers=2,
    num_heads=2,
    feed_forward_width=24,
    positional_kernel=8,
    positional_groups=2,
    activation_dropout=0.0,
    layer_drop=0.0,
    channel_span_start_probability=0.0,
)
QUANTIZER = QuantizerConfig(num_codebooks=2, num_entries=8, code_width=8, projection_width=8, latent_dropout=0.0)
MIXTURE = MixtureSettings(
    samples_per_update=6 * 12_000, micro_batch_samples=3 * 12_000, crop_samples=12_000, shortest_samples=6_000
)
SETTINGS = PretrainingLoopSettings(
    learning_rate=1e-3,
    warmup_share=0.2,
    gumbel=GumbelSchedule(),
    encoder_frozen_share=0.0,
    gradient_clip=1.0,
    evaluate_every_updates=3,
    log_every_updates=2,
    checkpoint_every_seconds=1e9,
    budget_seconds=None,
    collapse_rule=PretrainingCollapseRule(2.0, 0, 0.0, 1.0),
    hours_per_update=0.001,
)


def noisy_source(language: str, num_utterances: int, seed: int) -> SpeechSource:
    """Utterances of 0.5 to 0.8 s in which four tones of 0.1 s follow each other in turn: what is masked can be told."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(8_000, 12_800, num_utterances)
    waves = []
    for length in lengths:
        turns = (np.arange(length) + generator.integers(6_400)) // 1_600 % 4
        tones = np.sin(np.cumsum(np.array([0.05, 0.15, 0.4, 1.0])[turns]))
        waves.append(8_000 * tones + generator.normal(0, 500, length))

    def read(utterance: int, start: int, count: int) -> NDArray[np.int16]:
        return waves[utterance][start : start + count].astype(np.int16)

    return SpeechSource(language, f"{language}-corpus", lengths, read)


SOURCES = (noisy_source("aaa", 12, 1), noisy_source("bbb", 5, 2))
HELD_OUT = {"aaa": (Crop(0, 0, 0, 8_000, 0), Crop(0, 1, 0, 8_000, 0)), "bbb": (Crop(1, 0, 0, 8_000, 0),)}


def first_state(updates: int) -> PretrainingState:
    """A run that has not begun."""
    sums = PretrainingSums.zeros(QUANTIZER.num_codebooks, QUANTIZER.num_entries)
    return PretrainingState(plan=plan_for_updates(updates), seed=3, sums=sums)


def build_network() -> PretrainingNetwork:
    """The same weights every time."""
    torch.manual_seed(0)
    return PretrainingNetwork(CONFIG, QUANTIZER)


@dataclass
class TinyRun:
    """What a run leaves behind."""

    network: SpreadNetwork
    loop: PretrainingLoop
    events: list[Any] = field(default_factory=list)
    saved: list[tuple[SavedTraining[PretrainingState], dict[str, torch.Tensor]]] = field(default_factory=list)


def tiny_run(
    state: PretrainingState,
    *,
    processes: Processes = Processes(),  # noqa: B008
    settings: PretrainingLoopSettings = SETTINGS,
    saved: tuple[SavedTraining[PretrainingState], dict[str, torch.Tensor]] | None = None,
    sharding: Sharding = "auto",
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> TinyRun:
    """Put a run together; `saved` goes on from a checkpoint."""
    network = build_network()
    if saved is not None:
        network.load_state_dict(saved[1])
    spread_network = spread(
        network, processes, blocks=lambda: list(network.backbone.context_network.blocks), sharding=sharding
    )
    optimizer = build_optimizer(network, AdamSettings(epsilon=1e-6, weight_decay=0.01))
    if saved is not None:
        spread_network.load_optimizer_state(optimizer, saved[0].optimizer)
    compute = Compute("cpu", "fp32")
    loss = partial(pretraining_loss_function, config=CONFIG, quantizer_config=QUANTIZER, compute=compute)
    weights = LossWeights(num_distractors=10)

    def open_feed(position: MixturePosition) -> Feed[MixtureUpdate, SpeechUpdate]:
        load = partial(load_speech_update, SOURCES, rank=processes.rank, num_processes=processes.count)
        return Feed(load, plan_mixture(SOURCES, MIXTURE, start=position, num_processes=processes.count))

    def keep(training: SavedTraining[PretrainingState]) -> None:
        weights = {name: tensor.clone() for name, tensor in spread_network.whole_weights().items()}
        run.saved.append((training, weights))

    zeros = PretrainingSums.zeros(QUANTIZER.num_codebooks, QUANTIZER.num_entries)
    parts = PretrainingParts(
        network=spread_network,
        optimizer=optimizer,
        processes=processes,
        compute_loss=loss(spread_network.train, weights=weights, share_probabilities=processes.share_probabilities),
        open_feed=open_feed,
        languages=[source.language for source in SOURCES],
        name_crop=lambda crop: f"{crop.source}/{crop.utterance}",
        set_encoder_frozen=network.backbone.freeze_feature_encoder,
        evaluate=lambda: evaluate_held_out(
            loss(spread_network.module, weights=weights, share_probabilities=keep_own),
            SOURCES,
            HELD_OUT,
            zeros,
            processes,
            is_sharded=spread_network.is_sharded,
        ),
        save_best=lambda _state, _report: None,
        save_last=keep,
        report=lambda event: run.events.append(event),
        run_sha256="",
        is_stop_asked=is_stop_asked,
        clock=lambda: 0.0,
    )
    run = TinyRun(spread_network, PretrainingLoop(parts, settings, state))
    return run
