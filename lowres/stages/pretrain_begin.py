"""Beginning a pretraining run: its network, its loop, and what it leaves in the run folder."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.checkpoint_folder import (
    TRAINING_STATE_FILE,
    CheckpointMetadata,
    write_checkpoint,
)
from lowres.backbones.native import load_weights
from lowres.model.config import quantizer_to_dict, to_dict
from lowres.model.pretraining import PretrainingNetwork
from lowres.stages.pretrain_network import build_pretraining_network
from lowres.stages.pretrain_open import PretrainContext
from lowres.stages.pretrain_run import PretrainRecord
from lowres.stages.run_folder import write_record
from lowres.training.acoustic_start import start_acoustically
from lowres.training.checkpoint import SavedTraining, save_training_state
from lowres.training.distributed import SpreadNetwork, spread
from lowres.training.feed import Feed
from lowres.training.held_out import evaluate_held_out
from lowres.training.mixture import MixturePosition, MixtureUpdate, plan_mixture
from lowres.training.monitors import SAMPLES_PER_HOUR, NoticeReport
from lowres.training.optimizer import AdamSettings, build_optimizer
from lowres.training.pretraining_collapse import PretrainingCollapseRule
from lowres.training.pretraining_loop import PretrainingLoop
from lowres.training.pretraining_monitors import HeldOutReport, PretrainingSums
from lowres.training.pretraining_parts import (
    PretrainingLoopSettings,
    PretrainingParts,
    PretrainingState,
)
from lowres.training.schedule import GumbelSchedule
from lowres.training.self_supervision import (
    LossWeights,
    PretrainingLossFunction,
    keep_own,
    pretraining_loss_function,
)
from lowres.training.settings import known
from lowres.training.speech_feed import SpeechUpdate, load_speech_update


def begin_pretraining(
    context: PretrainContext,
    state: PretrainingState,
    saved: tuple[SavedTraining[PretrainingState], dict[str, torch.Tensor]] | None,
) -> PretrainingLoop | None:
    """Build network, optimizer and loop, from the start or from a checkpoint; None where an acoustic start was stopped.

    Such a start leaves no checkpoint: who goes on with the run makes it again, whole.
    """
    settings = context.settings
    network = build_pretraining_network(context.start, seed=state.seed, device=context.compute.device)
    if saved is not None:
        load_weights(network, saved[1], context.folder.last)
    else:
        started = _start_acoustically(context, network, state)
        if started is None:
            return None
        state = started
    network.backbone.context_network.recomputes_activations = known(
        settings.activation_checkpointing, "activation_checkpointing"
    )
    spread_network = spread(
        network,
        context.processes,
        blocks=lambda: list(network.backbone.context_network.blocks),
        sharding=settings.sharding,
        skips_layers=context.start.config.layer_drop > 0 or known(settings.encoder_frozen_share, "frozen share") > 0,
    )
    adam = AdamSettings(
        betas=(settings.adam_beta1, settings.adam_beta2),
        epsilon=settings.adam_epsilon,
        weight_decay=settings.weight_decay,
    )
    optimizer = build_optimizer(network, adam)
    if saved is not None:
        spread_network.load_optimizer_state(optimizer, saved[0].optimizer)
    return PretrainingLoop(_parts(context, spread_network, optimizer), _loop_settings(context), state)


def _start_acoustically(
    context: PretrainContext, network: PretrainingNetwork, state: PretrainingState
) -> PretrainingState | None:
    """Teach a new network what a spectrogram says, where the settings ask for it; its time counts.

    Returns:
        The state to begin with, or None where somebody asked to stop before it was done.
    """
    hours = known(context.settings.acoustic_start_hours, "acoustic_start_hours")
    if hours == 0 or context.start.backbone is not None:
        return state
    began = context.clock()
    sentence = f"The feature encoder first learns log-mel bands, on {hours:g} h of audio."
    context.report(NoticeReport(step=0, attempt=1, sentence=sentence))
    # Every process does the same, alone: it is short, and so they begin with the same weights.
    small = replace(
        context.mixture,
        samples_per_update=_ACOUSTIC_UPDATE_SAMPLES,
        crop_samples=_ACOUSTIC_CROP_SAMPLES,
        shortest_samples=min(context.mixture.shortest_samples, _ACOUSTIC_CROP_SAMPLES),
    )
    plans = plan_mixture(context.speech.sources, small, start=MixturePosition())
    with Feed(partial(load_speech_update, context.speech.sources), plans) as feed:
        started = start_acoustically(
            network,
            iter(feed.next_update, None),
            context.compute,
            hours=hours,
            seed=state.seed,
            # All of them must stop at the same update, or they would begin with other weights.
            is_stop_asked=lambda: context.processes.is_true_anywhere(context.is_stop_asked()),
        )
    if started is None:
        sentence = "Stopped before the feature encoder had learnt them: going on begins with that anew."
        context.report(NoticeReport(step=0, attempt=1, sentence=sentence))
        return None
    seconds = context.processes.maximum(context.clock() - began)
    context.report(
        NoticeReport(
            step=0,
            attempt=1,
            sentence=f"The feature encoder learnt log-mel bands on {started.hours:.2f} h of audio "
            f"(mean squared error from {started.first_error:.2f} to {started.last_error:.2f} of their variance), and "
            "the quantiser was fitted to its latents.",
        )
    )
    return replace(state, elapsed_seconds=seconds, started_seconds=seconds)


_ACOUSTIC_UPDATE_SAMPLES, _ACOUSTIC_CROP_SAMPLES = 20 * SAMPLE_RATE, 4 * SAMPLE_RATE


def _parts(context: PretrainContext, network: SpreadNetwork, optimizer: torch.optim.Optimizer) -> PretrainingParts:
    speech, processes = context.speech, context.processes
    quantizer = context.start.quantizer_config
    zeros = PretrainingSums.zeros(quantizer.num_codebooks, quantizer.num_entries)

    def save_best(state: PretrainingState, _report: HeldOutReport) -> None:
        _save(context, network, state, context.folder.best)

    def save_last(training: SavedTraining[PretrainingState]) -> None:
        _save(context, network, training.state, context.folder.last, training=training)

    def open_feed(position: MixturePosition) -> Feed[MixtureUpdate, SpeechUpdate]:
        load = partial(
            load_speech_update,
            speech.sources,
            rank=processes.rank,
            num_processes=processes.count,
            pin_memory=context.compute.device == "cuda",
        )
        plans = plan_mixture(speech.sources, context.mixture, start=position, num_processes=processes.count)
        return Feed(load, plans)

    def evaluate() -> Mapping[str, PretrainingSums]:
        loss = _loss_function(context, network.module, is_shared=False)
        return evaluate_held_out(
            loss, speech.all_sources, speech.held_out, zeros, processes, is_sharded=network.is_sharded
        )

    if context.settings.compile:
        network.train.compile()
    module = network.module
    assert isinstance(module, PretrainingNetwork)
    return PretrainingParts(
        network=network,
        optimizer=optimizer,
        processes=processes,
        compute_loss=_loss_function(context, network.train, is_shared=True),
        open_feed=open_feed,
        languages=[source.language for source in speech.sources],
        name_crop=speech.name_crop,
        set_encoder_frozen=module.backbone.freeze_feature_encoder,
        evaluate=evaluate if speech.held_out else None,
        save_best=save_best,
        save_last=save_last,
        report=context.report,
        run_sha256=context.record.sha256,
        is_stop_asked=context.is_stop_asked,
        clock=context.clock,
    )


def _loss_function(context: PretrainContext, network: nn.Module, *, is_shared: bool) -> PretrainingLossFunction:
    settings, start = context.settings, context.start
    weights = LossWeights(
        diversity=settings.diversity_weight,
        latent_penalty=known(settings.latent_penalty_weight, "latent_penalty_weight"),
        temperature=settings.temperature,
        num_distractors=settings.num_distractors,
    )
    return pretraining_loss_function(
        network,
        start.config,
        start.quantizer_config,
        context.compute,
        weights,
        # In an evaluation the processes have their own utterances, more or fewer, and nothing to add up meanwhile.
        share_probabilities=context.processes.share_probabilities if is_shared else keep_own,
    )


def _loop_settings(context: PretrainContext) -> PretrainingLoopSettings:
    settings = context.settings
    return PretrainingLoopSettings(
        learning_rate=known(settings.learning_rate, "learning_rate"),
        warmup_share=settings.warmup_share,
        gumbel=GumbelSchedule(
            known(settings.gumbel_start, "gumbel_start"),
            known(settings.gumbel_end, "gumbel_end"),
            settings.gumbel_factor,
        ),
        encoder_frozen_share=known(settings.encoder_frozen_share, "encoder_frozen_share"),
        gradient_clip=settings.gradient_clip,
        evaluate_every_updates=settings.evaluate_every_updates,
        log_every_updates=settings.log_every_updates,
        checkpoint_every_seconds=settings.checkpoint_every_minutes * 60,
        budget_seconds=None if settings.minutes is None else settings.minutes * 60,
        collapse_rule=PretrainingCollapseRule(
            settings.collapse_check_share,
            settings.collapse_check_updates,
            settings.smallest_used_codes_share,
            settings.largest_latent_similarity,
        ),
        hours_per_update=context.record.hours_per_update,
    )


def _save(
    context: PretrainContext,
    network: SpreadNetwork,
    state: PretrainingState,
    folder: Path,
    *,
    training: SavedTraining[PretrainingState] | None = None,
) -> None:
    """Gather the weights from all processes and have the first one write them."""
    weights = network.whole_weights()
    if not context.processes.is_first:
        return
    context.folder.metrics.flush()

    def write_more(writing: Path) -> None:
        if training is not None:
            save_training_state(writing / TRAINING_STATE_FILE, training)

    write_checkpoint(folder, weights, checkpoint_metadata(context, state), write_more=write_more)
    write_record(context.folder, updated_record(context.record, state))


def updated_record(record: PretrainRecord, state: PretrainingState) -> PretrainRecord:
    """Bring run.json up to where training is."""
    has_best = state.best.step > 0
    return replace(
        record,
        updates=state.step,
        hours_processed=round(state.samples_processed / SAMPLES_PER_HOUR, 4),
        wall_seconds=round(state.elapsed_seconds, 1),
        best_step=state.best.step,
        best_contrastive_loss=state.best.contrastive_loss if has_best else None,
        best_contrastive_accuracy=state.best.contrastive_accuracy if has_best else None,
    )


def checkpoint_metadata(context: PretrainContext, state: PretrainingState) -> CheckpointMetadata:
    """Say in checkpoint.json what the weights are and how they came about."""
    record = updated_record(context.record, state)
    training: dict[str, Any] = {
        "run": record.name,
        "languages": record.languages,
        "is_synthetic": record.is_synthetic,
        "hours": record.hours,
        "seed": state.seed,
        "updates": state.step,
        "hours_processed": record.hours_processed,
        "wall_seconds": record.wall_seconds,
        "best_contrastive_loss": record.best_contrastive_loss,
        "best_contrastive_accuracy": record.best_contrastive_accuracy,
        "backbone": record.backbone,
        "machine": record.machine,
    }
    return CheckpointMetadata(
        kind="backbone",
        model_config=to_dict(context.start.config),
        quantizer_config=quantizer_to_dict(context.start.quantizer_config),
        step=state.step,
        recipe_sha256=record.recipe_sha256,
        backbone_licence=record.backbone_licence,
        training=training,
    )
