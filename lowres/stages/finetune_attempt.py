"""One attempt of a run: its network, its loop, and what it leaves in the run folder."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from lowres.audio.constants import SAMPLE_RATE
from lowres.backbones.checkpoint_folder import (
    TRAINING_STATE_FILE,
    CheckpointMetadata,
    read_checkpoint,
    write_checkpoint,
)
from lowres.backbones.native import load_weights
from lowres.model.config import Wav2Vec2Config, to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.stages.finetune_dev import evaluate_on_dev
from lowres.stages.finetune_network import Start, build_network, chosen_adaptation
from lowres.stages.finetune_run import RunRecord
from lowres.stages.finetune_speech import FinetuneSpeech
from lowres.stages.run_folder import RunFolder, write_record
from lowres.training.adaptation import names_that_learn
from lowres.training.augmentation import Augmentation
from lowres.training.batches import BatchSizes
from lowres.training.checkpoint import (
    SavedTraining,
    TrainingState,
    restore_random_states,
    save_training_state,
)
from lowres.training.collapse import CollapseRule
from lowres.training.loop import TrainingLoop
from lowres.training.loop_parts import LoopParts, LoopSettings
from lowres.training.monitors import SAMPLES_PER_HOUR, DevScores, TrainingEvent
from lowres.training.optimizer import AdamSettings, build_optimizer
from lowres.training.precision import Compute
from lowres.training.recognition import ctc_loss_function
from lowres.training.schedule import TriStage
from lowres.training.settings import FinetuneSettings, known


@dataclass(frozen=True)
class RunContext:
    """Everything about a run that stays the same while it trains."""

    folder: RunFolder
    record: RunRecord
    settings: FinetuneSettings
    """Without gaps."""

    config: Wav2Vec2Config
    start: Start
    speech: FinetuneSpeech
    compute: Compute
    watch: Callable[[TrainingEvent], None]
    is_stop_asked: Callable[[], bool]
    clock: Callable[[], float] = time.perf_counter

    @property
    def sizes(self) -> BatchSizes:
        """Audio per update and per micro batch, in samples."""
        return BatchSizes(
            samples_per_update=round(known(self.settings.seconds_per_update, "seconds_per_update") * SAMPLE_RATE),
            micro_batch_samples=round(known(self.settings.micro_batch_seconds, "micro_batch_seconds") * SAMPLE_RATE),
        )

    def report(self, event: TrainingEvent) -> None:
        """Write an event to metrics.jsonl and hand it to whoever watches."""
        self.folder.metrics.append(event)
        self.watch(event)


def begin_attempt(
    context: RunContext,
    state: TrainingState,
    saved: tuple[SavedTraining[TrainingState], dict[str, torch.Tensor]] | None = None,
) -> TrainingLoop:
    """Build the network, the optimizer and the loop of an attempt, from its start or from a checkpoint.

    Args:
        context: the run.
        state: a fresh state, or that of the checkpoint.
        saved: the checkpoint with its weights; None begins the attempt anew.
    """
    settings = context.settings
    vocabulary, device = context.speech.vocabulary, context.compute.device
    model = build_network(context.config, vocabulary, context.start, settings, seed=state.seed, device=device)
    masking = torch.Generator()
    masking.manual_seed(state.seed)
    adam = AdamSettings(
        betas=(settings.adam_beta1, settings.adam_beta2),
        epsilon=settings.adam_epsilon,
        weight_decay=known(settings.weight_decay, "weight_decay"),
    )
    optimizer = build_optimizer(model, adam)
    if saved is not None:
        training, weights = saved
        load_weights(model, weights, context.folder.last, names=_names_to_store(context, model))
        optimizer.load_state_dict(training.optimizer)
        if training.random_states is not None:
            restore_random_states(training.random_states, masking)
    return TrainingLoop(_parts(context, model, optimizer, masking), _loop_settings(context), state)


def _parts(
    context: RunContext, model: CTCRecognizer, optimizer: torch.optim.Optimizer, masking: torch.Generator
) -> LoopParts:
    speech = context.speech
    stored = _names_to_store(context, model)

    def to_store() -> dict[str, torch.Tensor]:
        return {name: weight for name, weight in model.state_dict().items() if name in stored}

    def evaluate() -> DevScores:
        assert speech.dev is not None
        return evaluate_on_dev(model, speech.vocabulary, speech.dev, compute=context.compute, sizes=context.sizes)

    def save_best(state: TrainingState, scores: DevScores) -> None:
        write_checkpoint(context.folder.best, to_store(), checkpoint_metadata(context, state, scores))

    def save_last(training: SavedTraining[TrainingState]) -> None:
        context.folder.metrics.flush()
        write_checkpoint(
            context.folder.last,
            to_store(),
            checkpoint_metadata(context, training.state, None),
            write_more=lambda folder: save_training_state(folder / TRAINING_STATE_FILE, training),
        )
        write_record(context.folder, updated_record(context.record, training.state))

    return LoopParts(
        model=model,
        optimizer=optimizer,
        masking=masking,
        compute_loss=ctc_loss_function(model, context.compute),
        set_head_only=model.set_head_only,
        speech=speech.training,
        utterance_ids=speech.utterance_ids,
        evaluate=evaluate if speech.dev is not None else None,
        save_best=save_best,
        save_last=save_last,
        report=context.report,
        run_sha256=context.record.sha256,
        augmentation=_augmentation(context.settings),
        is_stop_asked=context.is_stop_asked,
        clock=context.clock,
    )


def _augmentation(settings: FinetuneSettings) -> Augmentation | None:
    if not settings.alters_waveforms:
        return None
    return Augmentation(settings.seed, speed_change=settings.speed_change, lowest_snr_db=settings.noise_lowest_snr_db)


def _names_to_store(context: RunContext, model: CTCRecognizer) -> set[str]:
    """Name the tensors that a checkpoint holds: all, or only those that learn where the backbone stays as it is."""
    if chosen_adaptation(context.settings) == "full":
        return set(model.state_dict())
    return names_that_learn(model)


def keep_last_as_best(context: RunContext, state: TrainingState) -> None:
    """Copy the last weights to `best`, for a run that had no dev speech to choose by."""
    weights = read_checkpoint(context.folder.last).weights
    write_checkpoint(context.folder.best, weights, checkpoint_metadata(context, state, None))


def _loop_settings(context: RunContext) -> LoopSettings:
    settings = context.settings
    head_only = known(settings.head_only_updates, "head_only_updates") / known(settings.updates, "updates")
    return LoopSettings(
        schedule=TriStage(
            warmup_share=settings.warmup_share,
            constant_share=settings.constant_share,
            initial_scale=settings.initial_scale,
            final_scale=settings.final_scale,
        ),
        sizes=context.sizes,
        gradient_clip=settings.gradient_clip,
        head_only_share=head_only,
        evaluate_every_updates=settings.evaluate_every_updates,
        log_every_updates=settings.log_every_updates,
        checkpoint_every_seconds=settings.checkpoint_every_minutes * 60,
        budget_seconds=None if settings.minutes is None else settings.minutes * 60,
        patience=settings.patience,
        collapse_rule=CollapseRule(settings.collapse_check_share, settings.collapse_check_updates),
        vocabulary_size=len(context.speech.vocabulary),
    )


def updated_record(record: RunRecord, state: TrainingState) -> RunRecord:
    """Bring run.json up to where training is."""
    has_best = state.best.step > 0
    return replace(
        record,
        attempt=state.attempt,
        seed_used=state.seed,
        learning_rate_used=state.learning_rate,
        updates=state.step,
        hours_processed=round(state.samples_processed / SAMPLES_PER_HOUR, 4),
        wall_seconds=round(state.elapsed_seconds, 1),
        best_step=state.best.step,
        best_attempt=state.best.attempt,
        best_dev_character_error_rate=state.best.error_rate if has_best else None,
        best_dev_word_error_rate=state.best.word_error_rate if has_best else None,
    )


def checkpoint_metadata(context: RunContext, state: TrainingState, scores: DevScores | None) -> CheckpointMetadata:
    """Say in checkpoint.json what the weights are and how they came about."""
    record = updated_record(context.record, state)
    training: dict[str, Any] = {
        "run": record.name,
        "corpus": record.corpus_name,
        "corpus_sha256": record.corpus_sha256,
        "corpus_licence": context.speech.info.licence,
        "corpus_consent": context.speech.info.consent,
        "corpus_source": context.speech.info.source,
        "corpus_citation": context.speech.info.citation,
        "num_speakers": context.speech.num_speakers,
        "num_utterances_without_speaker": context.speech.num_without_speaker,
        "is_synthetic": record.is_synthetic,
        "subset_label": record.subset_label,
        "subset_sha256": record.subset_sha256,
        "num_utterances": record.num_utterances,
        "hours": record.hours,
        "num_pseudo_labelled": record.num_pseudo_labelled,
        "pseudo_labelled_hours": record.pseudo_labelled_hours,
        "teacher": record.teacher,
        "seed": record.seed_used,
        "attempt": record.attempt,
        "learning_rate": record.learning_rate_used,
        "adaptation": chosen_adaptation(context.settings),
        "updates": record.updates,
        "hours_processed": record.hours_processed,
        "wall_seconds": record.wall_seconds,
        "dev_character_error_rate": scores.character_error_rate if scores else None,
        "dev_word_error_rate": scores.word_error_rate if scores else None,
        "backbone": record.backbone,
        "machine": record.machine,
    }
    is_partial = chosen_adaptation(context.settings) != "full"
    return CheckpointMetadata(
        kind="recognizer",
        model_config=to_dict(context.config),
        vocabulary=context.speech.vocabulary.to_json(),
        vocabulary_sha256=context.speech.vocabulary.hash,
        step=state.step,
        recipe_sha256=record.recipe_sha256,
        backbone_licence=record.backbone_licence,
        backbone_reference=record.backbone if is_partial else "",
        backbone_sha256=record.backbone_sha256 if is_partial else "",
        training=training,
    )
