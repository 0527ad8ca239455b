"""The same fine-tuning with several seeds: how much of a result is chance."""

import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lowres.errors import CheckpointError, TrainingError
from lowres.recipe import Recipe
from lowres.report.training import write_seeds_report
from lowres.stages.default_backbone import settle_backbone
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, FinetuneResult, finetune
from lowres.stages.finetune_run import read_record
from lowres.stages.finetune_speech import hours_label
from lowres.stages.run_folder import RUN_FILE, RunFolder, name_is_no_path


@dataclass(frozen=True)
class SeedOutcome:
    """How the run of one seed ended on dev."""

    seed: int
    run: str
    character_error_rate: float | None
    """Of the best checkpoint, 0-1; None where there is none, because it collapsed or there is no dev speech."""

    word_error_rate: float | None
    problem: str = ""
    """What went wrong, as a sentence; "" where nothing did."""


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation over seeds."""

    mean: float
    deviation: float
    """0 for a single seed."""


@dataclass(frozen=True)
class SeedsResult:
    """How all seeds ended."""

    outcomes: tuple[SeedOutcome, ...]
    is_interrupted: bool
    summary: Path
    """The JSON file that holds the same."""

    report: Path | None = None
    """The page with the curves of all seeds; None where they were interrupted."""

    @property
    def character_error_rate(self) -> Spread | None:
        """Over the seeds that have one."""
        return spread_of([outcome.character_error_rate for outcome in self.outcomes])

    @property
    def word_error_rate(self) -> Spread | None:
        """Over the seeds that have one."""
        return spread_of([outcome.word_error_rate for outcome in self.outcomes])

    @property
    def best(self) -> SeedOutcome | None:
        """The seed that is best on dev."""
        scored = [outcome for outcome in self.outcomes if outcome.character_error_rate is not None]
        return min(scored, key=lambda outcome: outcome.character_error_rate or 0.0, default=None)


def spread_of(values: list[float | None]) -> Spread | None:
    """Return mean and sample standard deviation of the values there are; None without any."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else 0.0)


def finetune_seeds(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    num_seeds: int,
    watch: Callable[[FinetuneEvent], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> SeedsResult:
    """Train one recogniser for each of `num_seeds` seeds, one after the other, each in a run folder of its own.

    Args:
        project: the project folder.
        recipe: as for `finetune`.
        options: as for `finetune`; `seed`, or the recipe's, is the first of the seeds, `run` begins the runs' names,
            and a time budget is each seed's own. With `resume`, what is finished stays and what is not goes on.
        num_seeds: 1 or more.
        watch: told of all runs' events.
        is_stop_asked: as for `finetune`; no further seed is begun then.

    Raises:
        CorpusError, CheckpointError: as `finetune`.
        TrainingError: every seed failed; the last one's error. A single seed that fails is an outcome.
    """
    first = recipe.finetune.seed if options.seed is None else options.seed
    base = name_is_no_path(options.run) if options.run else f"finetune-{hours_label(options.hours)}"
    summary = project / "runs" / f"{base}-seeds.json"
    names = {seed: f"{base}-seed{seed}" for seed in range(first, first + num_seeds)}
    for name in names.values():
        _check_before_training(RunFolder(project / "runs" / name), recipe, options)
    outcomes: list[SeedOutcome] = []
    for seed, name in names.items():
        try:
            result = _train_or_take(project, recipe, replace(options, seed=seed, run=name), watch, is_stop_asked)
        except TrainingError as error:
            outcomes.append(SeedOutcome(seed, name, None, None, error.message))
            if len(outcomes) == num_seeds and all(outcome.problem for outcome in outcomes):
                raise
            continue
        if result.ending == "interrupted":
            return SeedsResult(tuple(outcomes), is_interrupted=True, summary=summary)
        record = result.record
        outcomes.append(SeedOutcome(seed, name, record.best_dev_character_error_rate, record.best_dev_word_error_rate))
    report = write_seeds_report(summary.with_suffix(".html"), [project / "runs" / name for name in names.values()])
    found = SeedsResult(tuple(outcomes), is_interrupted=False, summary=summary, report=report)
    _write_summary(found)
    return found


def _check_before_training(folder: RunFolder, recipe: Recipe, options: FinetuneOptions) -> None:
    """Refuse, before hours of training, a run that is in the way or that cannot be counted among the others.

    Raises:
        CheckpointError: it is there and nothing is to be gone on with, or it is of other speech or another recipe.
    """
    if not (folder.path / RUN_FILE).exists():
        return
    if not options.resume:
        raise CheckpointError(
            f"The run {folder.path} exists already.",
            "Go on with all seeds by adding --resume, or name others by --run.",
        )
    record = read_record(folder)
    is_of_other_speech = options.hours is not None and record.hours_asked != options.hours
    trained_by = settle_backbone(recipe, record.backbone)[0]  # a run's recipe names what lowres chose
    if is_of_other_speech or record.recipe_sha256 != trained_by.recipe_hash:
        raise CheckpointError(
            f"The run {folder.path} is of other {'hours of speech' if is_of_other_speech else 'settings'}.",
            "Its figures cannot be averaged with new ones: name others by --run.",
        )


def _train_or_take(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    watch: Callable[[FinetuneEvent], None],
    is_stop_asked: Callable[[], bool],
) -> FinetuneResult:
    """Train the run of a seed, or go on with it, or take it as it is where it has ended."""
    folder = RunFolder(project / "runs" / str(options.run))
    if options.resume:
        if not (folder.path / RUN_FILE).exists():
            options = replace(options, resume=False)
        else:
            record = read_record(folder)
            if record.status in ("finished", "stopped early"):
                return FinetuneResult("finished", folder.path, record)
            if record.status == "collapsed":
                raise TrainingError(f"The run {folder.path} collapsed.", "Train it under another name with --run NAME.")
    return finetune(project, recipe, options, watch, is_stop_asked=is_stop_asked)


def _write_summary(result: SeedsResult) -> None:
    content = {
        "seeds": [asdict(outcome) for outcome in result.outcomes],
        "dev_character_error_rate": result.character_error_rate and asdict(result.character_error_rate),
        "dev_word_error_rate": result.word_error_rate and asdict(result.word_error_rate),
    }
    result.summary.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="\n")
