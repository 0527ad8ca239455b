"""The training loop: updates, reports, evaluations and checkpoints of one attempt, exact to the bit when resumed.

To the bit on a processor; a GPU adds some sums in no fixed order. It takes modules and callables and knows neither
files nor speech formats; `lowres.stages.finetune` puts it together.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from lowres.errors import TrainingError
from lowres.training.batches import plan_updates
from lowres.training.checkpoint import BestSoFar, SavedTraining, TrainingState, capture_random_states
from lowres.training.collapse import Collapse, CollapseRule, OutputSymptoms, detect_collapse
from lowres.training.feed import Feed, Update, load_update
from lowres.training.loop_parts import LoopParts, LoopSettings
from lowres.training.monitors import (
    SAMPLES_PER_HOUR,
    DevScores,
    EvaluationReport,
    NoticeReport,
    PlanReport,
    StepReport,
    Window,
)
from lowres.training.optimizer import clip_gradients, set_learning_rate
from lowres.training.recognition import BatchLoss, describe_labels
from lowres.training.schedule import (
    Clock,
    is_time_to_replan,
    progress_at,
    replan_for_budget,
    spacing_of_evaluations,
    total_updates,
    tri_stage_scale,
)

Ending = Literal["finished", "stopped early", "collapsed", "interrupted"]


class TrainingLoop:
    """One attempt at training, from wherever `state` stands.

    Args:
        parts: network, data and callbacks. The network, the optimizer and all generators must already be as they were
            when `state` was saved.
        settings: numbers.
        state: the place to go on from.
    """

    def __init__(self, parts: LoopParts, settings: LoopSettings, state: TrainingState) -> None:
        self.state = state
        self.collapse: Collapse | None = None
        self._parts = parts
        self._settings = settings
        self._last_clock = parts.clock()
        self._checkpointed_at = state.elapsed_seconds
        self._latest: BatchLoss | None = None

    def run(self) -> Ending:
        """Train until the schedule ends, dev stops improving, the output has collapsed, or somebody asks to stop.

        Raises:
            TrainingError: a loss or gradient that is not a number, naming the utterances.
            CheckpointError: from saving.
        """
        plans = plan_updates(
            self._parts.speech.num_samples, self._settings.sizes, seed=self.state.seed, start=self.state.position
        )
        on_gpu = next(self._parts.model.parameters()).is_cuda
        self._parts.model.train()
        load = partial(load_update, self._parts.speech, pin_memory=on_gpu, augmentation=self._parts.augmentation)
        with Feed(load, plans) as feed:
            while (ending := self._ending()) is None:
                waited_before = feed.waited_seconds
                update = feed.next_update()
                self._learn_from(update, waited_seconds=feed.waited_seconds - waited_before)
                self._look_after_update()
                if self._parts.is_stop_asked() and self._ending() is None:
                    self.checkpoint()
                    return "interrupted"
        if ending == "stopped early":
            self._parts.report(self._notice(_early_stop_sentence(self.state.best)))
        elif ending == "finished" and (unfinished := self._detect_collapse(CollapseRule(0.0, 0))) is not None:
            advice = "; ".join(unfinished.causes)
            self._parts.report(self._notice(f"{unfinished.sentence.capitalize()}. What to try: {advice}."))
        return ending

    def _ending(self) -> Ending | None:
        state, settings = self.state, self._settings
        if self.collapse is not None:
            return "collapsed"
        is_patience_over = 0 < settings.patience <= state.best.evaluations_since
        if is_patience_over and state.step < total_updates(state.plan):
            return "stopped early"
        return "finished" if state.step >= total_updates(state.plan) else None

    def _learn_from(self, update: Update, *, waited_seconds: float) -> None:
        """Make one optimizer update and add it to the state."""
        parts, settings, state = self._parts, self._settings, self.state
        progress = progress_at(state.step, state.plan)
        parts.set_head_only(progress < settings.head_only_share)
        losses = []
        for batch in update.batches:
            loss = parts.compute_loss(batch, parts.masking)
            (loss.total / update.total_tokens).backward()  # type: ignore[no-untyped-call]
            losses.append(replace(loss, total=loss.total.detach()))
        norm = float(clip_gradients(parts.model, settings.gradient_clip))
        mean_loss = float(sum(float(loss.total) for loss in losses)) / update.total_tokens
        if not (math.isfinite(norm) and math.isfinite(mean_loss)):
            raise self._not_a_number(update, losses, mean_loss)
        set_learning_rate(parts.optimizer, self._learning_rate(progress))
        parts.optimizer.step()
        parts.optimizer.zero_grad(set_to_none=True)
        self._latest = losses[-1]
        self.state = replace(
            state,
            step=state.step + 1,
            position=update.next_position,
            samples_processed=state.samples_processed + update.total_samples,
        )
        self._count(
            Window(
                updates=1,
                loss=mean_loss,
                gradient_norm=norm,
                samples=update.total_samples,
                infinite=sum(int(loss.num_infinite) for loss in losses),
                seconds=self._tick(),
                waited_seconds=waited_seconds,
            )
        )

    def _count(self, update: Window) -> None:
        self.state = replace(
            self.state,
            window=self.state.window.plus(update),
            evaluation_window=self.state.evaluation_window.plus(update),
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
        parts.save_last(
            SavedTraining(
                state=self.state,
                optimizer=parts.optimizer.state_dict(),
                random_states=capture_random_states(parts.masking),
                run_sha256=parts.run_sha256,
            )
        )
        self._tick()
        self._checkpointed_at = self.state.elapsed_seconds

    def _replan(self) -> bool:
        """Measure the speed of a timed run anew when it is time; tell whether the plan has changed."""
        state, budget = self.state, self._settings.budget_seconds
        if budget is None:
            return False
        # An attempt has what is left of the budget after its start, or, too late, a little.
        elapsed = state.elapsed_seconds - state.attempt_started_seconds
        allowed = max(budget - state.attempt_started_seconds, 1.0)
        if not is_time_to_replan(state.plan, state.step, elapsed, allowed):
            return False
        clock = Clock(elapsed_seconds=elapsed, reserved_seconds=state.last_evaluation_seconds)
        point = replan_for_budget(state.step, clock, allowed)
        self.state = replace(state, plan=(*state.plan, point))
        self._parts.report(
            PlanReport(
                step=state.step,
                attempt=state.attempt,
                progress=point.progress,
                total_updates=point.total_updates,
                elapsed_seconds=state.elapsed_seconds,
            )
        )
        return True

    def _is_evaluation_due(self) -> bool:
        state, settings = self.state, self._settings
        if self._parts.evaluate is None:
            return False
        if settings.evaluate_every_updates is not None:
            return state.step % settings.evaluate_every_updates == 0
        if settings.budget_seconds is None:
            return False
        last = state.history[-1].progress if state.history else 0.0
        spacing = spacing_of_evaluations(state.last_evaluation_seconds, settings.budget_seconds)
        # Before the speed was measured once, progress is a guess.
        return len(state.plan) > 1 and progress_at(state.step, state.plan) - last >= spacing

    def _evaluate(self) -> None:
        """Decode dev, remember the best, and look for a collapse."""
        if self._parts.evaluate is None:
            return
        self._parts.model.eval()
        scores = self._parts.evaluate()
        self._parts.model.train()
        seconds = self._tick()
        state = self.state
        progress = progress_at(state.step, state.plan)
        is_best = scores.character_error_rate < state.best.error_rate
        # Babble of the first updates can score better than the silence that follows, and the head alone learns little:
        # patience begins after both.
        counts = progress >= self._collapse_rule().check_share
        best = (
            BestSoFar(state.step, scores.character_error_rate, scores.word_error_rate, attempt=state.attempt)
            if is_best
            else replace(state.best, evaluations_since=state.best.evaluations_since + counts)
        )
        window = state.evaluation_window
        symptoms = OutputSymptoms(
            step=state.step,
            progress=progress,
            train_loss=window.mean_loss,
            blank_share=scores.blank_share,
            distinct_tokens=scores.distinct_tokens,
            gradient_norm=window.mean_gradient_norm,
        )
        self.state = replace(
            state,
            best=best,
            history=(*state.history, symptoms),
            evaluation_window=Window(),
            last_evaluation_seconds=seconds,
        )
        self._parts.report(self._evaluation_report(symptoms, scores, is_best=is_best))
        self.collapse = self._detect_collapse(self._collapse_rule())
        if is_best:
            # Before `last`: killed in between, the resumed run comes here again and writes the same.
            self._parts.save_best(self.state, scores)

    def _collapse_rule(self) -> CollapseRule:
        """Return the rule, which waits until the head is no longer trained alone."""
        share = max(self._settings.collapse_rule.check_share, min(self._settings.head_only_share + 0.1, 1.0))
        return replace(self._settings.collapse_rule, check_share=share)

    def _detect_collapse(self, rule: CollapseRule) -> Collapse | None:
        return detect_collapse(
            self.state.history,
            vocabulary_size=self._settings.vocabulary_size,
            rule=rule,
            learning_rate=self.state.learning_rate,
        )

    def _report_steps(self) -> None:
        """Report the updates since the last report and begin counting anew."""
        state, window = self.state, self.state.window
        blank_share, distinct_tokens = (
            describe_labels(self._latest.scores, self._latest.num_frames) if self._latest is not None else (0.0, 0)
        )
        progress = progress_at(state.step, state.plan)
        self.state = replace(state, window=Window())
        self._parts.report(
            StepReport(
                step=state.step,
                attempt=state.attempt,
                progress=progress,
                total_updates=total_updates(state.plan),
                learning_rate=self._learning_rate(progress),
                loss=window.mean_loss,
                gradient_norm=window.mean_gradient_norm,
                blank_share=blank_share,
                distinct_tokens=distinct_tokens,
                infinite_losses=window.infinite,
                hours_processed=state.samples_processed / SAMPLES_PER_HOUR,
                hours_per_hour=window.hours_per_hour,
                waited_share=window.waited_share,
                elapsed_seconds=state.elapsed_seconds,
                is_head_only=progress < self._settings.head_only_share,
            )
        )

    def _evaluation_report(self, symptoms: OutputSymptoms, scores: DevScores, *, is_best: bool) -> EvaluationReport:
        return EvaluationReport(
            step=symptoms.step,
            attempt=self.state.attempt,
            progress=symptoms.progress,
            train_loss=symptoms.train_loss,
            dev_character_error_rate=scores.character_error_rate,
            dev_word_error_rate=scores.word_error_rate,
            blank_share=scores.blank_share,
            distinct_tokens=scores.distinct_tokens,
            is_best=is_best,
            examples=scores.examples,
            seconds=self.state.last_evaluation_seconds,
            elapsed_seconds=self.state.elapsed_seconds,
        )

    def _notice(self, sentence: str) -> NoticeReport:
        return NoticeReport(step=self.state.step, attempt=self.state.attempt, sentence=sentence)

    def _learning_rate(self, progress: float) -> float:
        return self.state.learning_rate * tri_stage_scale(progress, self._settings.schedule)

    def _tick(self) -> float:
        """Add the time since the last tick to the run's seconds of work, and return it."""
        now = self._parts.clock()
        seconds = now - self._last_clock
        self._last_clock = now
        self.state = replace(self.state, elapsed_seconds=self.state.elapsed_seconds + seconds)
        return seconds

    def _not_a_number(self, update: Update, losses: Sequence[BatchLoss], mean_loss: float) -> TrainingError:
        names = [
            self._parts.utterance_ids[index]
            for batch, loss in zip(update.batches, losses, strict=True)
            for index, value in zip(batch.indices, loss.per_utterance.tolist(), strict=True)
            if not math.isfinite(value)
        ]
        everyone = [self._parts.utterance_ids[index] for batch in update.batches for index in batch.indices]
        what = "loss" if not math.isfinite(mean_loss) else "gradient"
        return TrainingError(
            f"The {what} became not a number in update {self.state.step + 1}, in {_listed(names or everyone)}.",
            "Listen to what is named and look at its transcript; if it is sound, lower finetune.learning_rate or set "
            "finetune.precision=fp32. The checkpoint written before this update is untouched.",
        )


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(f"utterance {name}" for name in names[:most])
    return shown if len(names) <= most else f"{shown} or one of {len(names) - most} more"


def _early_stop_sentence(best: BestSoFar) -> str:
    return (
        f"Dev has not improved in {best.evaluations_since} evaluations; the best was {best.error_rate:.1%} CER "
        f"after {best.step} updates."
    )
