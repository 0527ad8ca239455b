"""The pretraining loop: updates, reports, held-out evaluations and checkpoints, exact to the bit when resumed.

To the bit on a processor; a GPU adds some sums in no fixed order. Everything random in an update follows from the run's
seed, the update and the utterance, so there is no random state to save, and it does not matter on how many processes
the same micro batches are spread (apart from dropout, which is each process's own): `micro_batch_seconds` is each
process's share of one, and the diversity loss is a micro batch's. Modules and callables only: `lowres.stages.pretrain`
puts it together.
"""

import hashlib
import math
from dataclasses import replace
from typing import Literal

import torch

from lowres.errors import TrainingError
from lowres.training.checkpoint import SavedTraining
from lowres.training.mixture import seed_of_crop
from lowres.training.monitors import SAMPLES_PER_HOUR, PlanReport, Window
from lowres.training.optimizer import clip_gradients, scale_gradients, set_learning_rate
from lowres.training.pretraining_collapse import PretrainingCollapse, detect_pretraining_collapse
from lowres.training.pretraining_monitors import PretrainingSums, PretrainStepReport, held_out_report
from lowres.training.pretraining_parts import (
    BestHeldOut,
    PretrainingLoopSettings,
    PretrainingParts,
    PretrainingState,
)
from lowres.training.schedule import (
    Clock,
    is_time_to_replan,
    progress_at,
    replan_for_budget,
    spacing_of_evaluations,
    total_updates,
    warmup_decay_scale,
)
from lowres.training.self_supervision import seeded_generator
from lowres.training.speech_feed import SpeechUpdate

PretrainingEnding = Literal["finished", "collapsed", "interrupted"]


class PretrainingLoop:
    """A pretraining run, from wherever `state` stands.

    Args:
        parts: network, data and callbacks; weights and optimizer must be as they were when `state` was saved. Every
            process calls every callback, since some of them gather from all processes.
        settings: numbers.
        state: the place to go on from.
    """

    def __init__(self, parts: PretrainingParts, settings: PretrainingLoopSettings, state: PretrainingState) -> None:
        self.state = state
        self.collapse: PretrainingCollapse | None = None
        self._parts = parts
        self._settings = settings
        self._last_clock = parts.clock()
        self._checkpointed_at = state.elapsed_seconds

    def run(self) -> PretrainingEnding:
        """Train until the schedule ends, codes or latents have collapsed, or somebody asks to stop.

        Raises:
            TrainingError: a loss or gradient that is not a number, naming the utterances.
            CheckpointError: from saving.
        """
        self._parts.network.train.train()
        with self._parts.open_feed(self.state.position) as feed:
            while self.state.step < total_updates(self.state.plan):
                waited_before = feed.waited_seconds
                update = feed.next_update()
                self._learn_from(update, waited_seconds=feed.waited_seconds - waited_before)
                self._look_after_update()
                if self.collapse is not None:
                    return "collapsed"
                is_over = self.state.step >= total_updates(self.state.plan)
                if self._parts.processes.is_true_anywhere(self._parts.is_stop_asked()) and not is_over:
                    self.checkpoint()
                    return "interrupted"
        return "finished"

    def _learn_from(self, update: SpeechUpdate, *, waited_seconds: float) -> None:
        """Make one optimizer update and add it to the state."""
        parts, state = self._parts, self.state
        torch.manual_seed(_seed_of_update(state.seed, state.step, parts.processes.rank))
        progress = progress_at(state.step, state.plan)
        parts.set_encoder_frozen(progress < self._settings.encoder_frozen_share)
        temperature = self._settings.gumbel.temperature(state.step, progress)
        sums = replace(state.sums, values=torch.zeros_like(state.sums.values))
        for place, batch in enumerate(update.batches, start=1):
            generators = [seeded_generator(seed_of_crop(crop, state.seed)) for crop in batch.crops]
            with parts.network.without_sync(place == len(update.batches)):
                loss = parts.compute_loss(batch, generators, temperature)
                # Gradients are averaged over processes, and a sum is wanted.
                (loss.total * parts.processes.count).backward()  # type: ignore[no-untyped-call]
            sums = sums.plus(PretrainingSums.of(loss))
        sums = PretrainingSums(parts.processes.sum(sums.values), sums.num_codebooks)
        scale_gradients(parts.network.train, 1.0 / max(sums.num_frames, 1))
        norm = float(clip_gradients(parts.network.train, self._settings.gradient_clip))
        if not (math.isfinite(norm) and math.isfinite(sums.describe().contrastive_loss)):
            raise self._not_a_number(update)
        set_learning_rate(parts.optimizer, self._learning_rate(progress))
        parts.optimizer.step()
        parts.optimizer.zero_grad(set_to_none=True)
        window = Window(
            updates=1,
            gradient_norm=norm,
            samples=update.total_samples,
            seconds=self._tick(),
            waited_seconds=waited_seconds,
        )
        self.state = replace(
            self.state,
            step=state.step + 1,
            position=update.next_position,
            samples_processed=state.samples_processed + update.total_samples,
            sums=state.sums.plus(sums),
            window=state.window.plus(window),
        )

    def _look_after_update(self) -> None:
        """Report, measure the speed, evaluate and checkpoint, each when its time has come and in this order."""
        is_evaluation_due = self._is_evaluation_due()
        has_new_plan = self._replan()
        is_last = self.state.step >= total_updates(self.state.plan)
        if self.state.step % self._settings.log_every_updates == 0 or is_last:
            self._report_steps()
        if is_evaluation_due or is_last:
            self._evaluate()
        elapsed = self.state.elapsed_seconds - self._checkpointed_at
        is_checkpoint_due = elapsed >= self._settings.checkpoint_every_seconds
        if self.collapse is None and (is_evaluation_due or has_new_plan or is_last or is_checkpoint_due):
            self.checkpoint()

    def checkpoint(self) -> None:
        """Save everything needed to go on from here."""
        parts = self._parts
        optimizer = parts.network.whole_optimizer_state(parts.optimizer)
        parts.save_last(SavedTraining(self.state, optimizer, None, parts.run_sha256))
        self._tick()
        self._checkpointed_at = self.state.elapsed_seconds

    def _replan(self) -> bool:
        """Measure the speed of a timed run anew when it is time; tell whether the plan has changed."""
        state, budget = self.state, self._settings.budget_seconds
        if budget is None:
            return False
        # The schedule has what is left of the budget after the start, or, too late, a little.
        elapsed, allowed = state.elapsed_seconds - state.started_seconds, max(budget - state.started_seconds, 1.0)
        if not is_time_to_replan(state.plan, state.step, elapsed, allowed):
            return False
        clock = Clock(elapsed_seconds=elapsed, reserved_seconds=state.last_evaluation_seconds)
        point = replan_for_budget(state.step, clock, allowed)
        self.state = replace(state, plan=(*state.plan, point))
        self._parts.report(PlanReport(state.step, 1, point.progress, point.total_updates, state.elapsed_seconds))
        return True

    def _is_evaluation_due(self) -> bool:
        state, settings = self.state, self._settings
        if self._parts.evaluate is None:
            return False
        if settings.evaluate_every_updates is not None:
            return state.step % settings.evaluate_every_updates == 0
        progress = progress_at(state.step, state.plan)
        if settings.budget_seconds is not None and len(state.plan) == 1:
            return False  # before the speed was measured once, progress is a guess
        # Where updates are counted, what is evaluated when must not depend on how fast the machine was.
        spacing = spacing_of_evaluations(state.last_evaluation_seconds, settings.budget_seconds or math.inf)
        return progress - state.last_evaluation_progress >= spacing

    def _evaluate(self) -> None:
        """Look at held-out speech, remember the best, and look for a collapse."""
        if self._parts.evaluate is None:
            return
        self._parts.network.train.eval()
        sums = self._parts.evaluate()
        self._parts.network.train.train()
        seconds = self._tick()
        state = self.state
        progress = progress_at(state.step, state.plan)
        report = held_out_report(
            sums,
            step=state.step,
            progress=progress,
            is_best_below=state.best.contrastive_loss,
            seconds=seconds,
            elapsed_seconds=state.elapsed_seconds,
            hours_processed=state.samples_processed / SAMPLES_PER_HOUR,
        )
        self.state = replace(state, last_evaluation_seconds=seconds, last_evaluation_progress=progress)
        if report.is_best:
            best = BestHeldOut(state.step, report.contrastive_loss, report.contrastive_accuracy)
            self.state = replace(self.state, best=best)
        self._parts.report(report)
        self.collapse = detect_pretraining_collapse(
            report,
            self._settings.collapse_rule,
            num_codes=state.sums.num_codes,
            hours_per_update=self._settings.hours_per_update,
        )
        if report.is_best:
            # Before `last`: killed in between, the resumed run comes here again and writes the same.
            self._parts.save_best(self.state, report)

    def _report_steps(self) -> None:
        """Report the updates since the last report and begin counting anew."""
        state, figures = self.state, self.state.sums.describe()
        progress = progress_at(state.step, state.plan)
        self.state = replace(
            state, window=Window(), sums=replace(state.sums, values=torch.zeros_like(state.sums.values))
        )
        self._parts.report(
            PretrainStepReport(
                step=state.step,
                progress=progress,
                total_updates=total_updates(state.plan),
                learning_rate=self._learning_rate(progress),
                gumbel_temperature=self._settings.gumbel.temperature(state.step, progress),
                loss=figures.loss,
                contrastive_loss=figures.contrastive_loss,
                diversity_loss=figures.diversity_loss,
                latent_penalty=figures.latent_penalty,
                contrastive_accuracy=figures.contrastive_accuracy,
                code_perplexity=figures.code_perplexity,
                chosen_perplexity=figures.chosen_perplexity,
                used_codes_share=figures.used_codes_share,
                latent_similarity=figures.latent_similarity,
                gradient_norm=state.window.mean_gradient_norm,
                masked_frames=state.sums.num_frames,
                left_out=state.sums.num_left_out,
                hours_processed=state.samples_processed / SAMPLES_PER_HOUR,
                hours_per_hour=state.window.hours_per_hour,
                waited_share=state.window.waited_share,
                elapsed_seconds=state.elapsed_seconds,
                hours_per_language=self._hours_per_language(),
            )
        )

    def _hours_per_language(self) -> dict[str, float]:
        hours = dict.fromkeys(self._parts.languages, 0.0)
        for language, source in zip(self._parts.languages, self.state.position.sources, strict=True):
            hours[language] += source.drawn_samples / SAMPLES_PER_HOUR
        return hours

    def _learning_rate(self, progress: float) -> float:
        return self._settings.learning_rate * warmup_decay_scale(progress, self._settings.warmup_share)

    def _tick(self) -> float:
        """Add the time since the last tick, the slowest process's, to the run's seconds of work, and return it."""
        now = self._parts.clock()
        seconds = self._parts.processes.maximum(now - self._last_clock)
        self._last_clock = now
        self.state = replace(self.state, elapsed_seconds=self.state.elapsed_seconds + seconds)
        return seconds

    def _not_a_number(self, update: SpeechUpdate) -> TrainingError:
        names = [self._parts.name_crop(crop) for batch in update.batches for crop in batch.crops]
        shown = ", ".join(names[:5]) + (f" or one of {len(names) - 5} more" if len(names) > 5 else "")
        return TrainingError(
            f"The loss or its gradient became not a number in update {self.state.step + 1}, in utterance {shown}.",
            "Listen to what is named; if it is sound, lower pretrain.learning_rate or set pretrain.precision=fp32. "
            "The checkpoint written before this update is untouched.",
        )


def _seed_of_update(seed: int, step: int, rank: int) -> int:
    """Seed dropout and layer drop anew for every update, so that no random state needs saving."""
    digest = hashlib.blake2b(f"update {seed} {step} {rank}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
