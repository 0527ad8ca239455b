"""Cross-validation over speakers: a recogniser for each of them that has never heard them, and how it hears them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lowres.errors import LowresError, RecipeError, TrainingError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.leave_out import LeftOut, group_speakers, leave_out, named_speakers
from lowres.recipe import Recipe
from lowres.report.cross_validation_contents import CrossValidationContents, FoldFacts
from lowres.report.cross_validation_page import write_cross_validation_report
from lowres.stages.cross_validate_fold import (
    FOLDS_FOLDER,
    RUN_NAME,
    Fold,
    fold_folder,
    hash_of_fold,
    open_fold,
    recipe_for_fold,
)
from lowres.stages.cross_validate_results import (
    MeasuredFold,
    cautions_about,
    facts_about,
    measure_official,
    pool,
    speaker_results,
)
from lowres.stages.finetune import FinetuneOptions
from lowres.stages.finetune_again import MeasureProgress, SeriesEvent, SeriesNotice, check_still_same, train_or_take
from lowres.stages.finetune_run import read_record
from lowres.stages.finetune_speech import hours_label
from lowres.stages.measure_run import measure_run
from lowres.stages.run_folder import RUN_FILE, RunFolder, name_is_no_path

REPORT_NAME: Final = "cross-validation"
MOST_FOLDS_UNASKED: Final = 20
"""Speakers beyond which the number of trainings must be asked for."""


@dataclass(frozen=True)
class CrossValidateOptions:
    """What the command line adds to the recipe."""

    folds: int | None = None
    """Groups of speakers; None leaves out each speaker alone."""

    hours: float | None = None
    """Hours of training speech of each fold; None takes all that the others said."""

    minutes: float | None = None
    seed: int | None = None
    name: str | None = None
    """Of the folds' folder and the report; None makes it from hours and seed, and leaves it out of the report's where
    the recipe's seed and all hours are meant."""


@dataclass(frozen=True)
class CrossValidateResult:
    """What was found, and where the report lies; `contents` is None where somebody stopped it."""

    contents: CrossValidationContents | None
    folder: Path
    page_bytes: int = 0


@dataclass(frozen=True)
class _Plan:
    """A fold before its training: its corpus is split, and nothing is written yet."""

    fold: Fold
    left: LeftOut
    recipe: Recipe


def cross_validate(
    project: Path,
    recipe: Recipe,
    options: CrossValidateOptions,
    watch: Callable[[SeriesEvent], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> CrossValidateResult:
    """Leave out each speaker, or group of speakers, in turn; train on the others, score on the left-out, and report.

    Args:
        project: the project folder; `cross-validation/<name>/` holds a small project for each fold, and
            `reports/cross-validation/`, or `-<name>`, the report.
        recipe: as for `finetune`, for every fold alike.
        options: how many folds, of how much speech. Folds that have ended are taken as they are, those that were
            stopped go on.
        watch: told of all runs' events and of what is done between them.
        is_stop_asked: as for `finetune`; no further fold is begun then.

    Raises:
        RecipeError: there are too many speakers to leave each out unasked, or fewer than folds.
        CorpusError: no prepared corpus, an utterance without a speaker, fewer than two speakers, or a full disk.
        CheckpointError: a fold is there with other settings, or as `finetune`.
        TrainingError: no fold could be trained; the last one's error. A single one that fails is a caution.
        LowresError: the report could not be written.
    """
    corpus = load_corpus(project / CORPUS_FOLDER)
    corpus.require_transcripts()
    seed = recipe.finetune.seed if options.seed is None else options.seed
    name = name_is_no_path(options.name or f"{hours_label(options.hours)}-seed{seed}")
    is_plain = not options.name and options.hours is None and seed == recipe.finetune.seed
    folder = project / "reports" / (REPORT_NAME if is_plain else f"{REPORT_NAME}-{name}")
    plans = _plan(project / FOLDS_FOLDER / name, project, recipe, corpus, options)
    asked = FinetuneOptions(options.hours, options.minutes, options.seed, RUN_NAME)
    _check_before_training(plans, asked)
    ran = _run_folds(plans, corpus, asked, watch, is_stop_asked)
    if ran is None:
        return CrossValidateResult(None, folder)
    measured, failed = ran
    official = measure_official(project, recipe, corpus, asked, watch)
    contents = CrossValidationContents(
        language=recipe.language.name or recipe.name or corpus.info.name,
        corpus_name=corpus.info.name,
        hours_label=hours_label(options.hours),
        is_single=all(len(plan.fold.speakers) == 1 for plan in plans),
        results=speaker_results(measured, official, recipe.evaluate.seed),
        folds=tuple(sorted([*(one.facts for one in measured), *failed], key=lambda facts: facts.fold)),
        letters=pool(measured, "letters", recipe.evaluate.seed),
        words=pool(measured, "words", recipe.evaluate.seed),
        official=official.result if official else None,
        cautions=cautions_about(corpus, measured, failed, options.hours),
        facts=facts_about(corpus, recipe, measured),
        synthetic=corpus.info.synthetic,
    )
    return CrossValidateResult(contents, folder, write_cross_validation_report(folder, contents))


def _plan(
    parent: Path, project: Path, recipe: Recipe, corpus: PreparedCorpus, options: CrossValidateOptions
) -> list[_Plan]:
    """Decide who is left out together, and split the corpus around each.

    Raises:
        RecipeError, CorpusError: as `cross_validate`.
    """
    seconds = named_speakers(corpus.table)
    if options.folds is None and len(seconds) > MOST_FOLDS_UNASKED:
        raise RecipeError(
            f"There are {len(seconds)} speakers, and leaving out each takes as many trainings.",
            f"Leave out groups of them with --folds 5, or each with --folds {len(seconds)}.",
        )
    if options.folds is not None and options.folds > len(seconds):
        raise RecipeError(
            f"--folds {options.folds} is more than the {len(seconds)} speakers there are.", "Leave --folds out."
        )
    groups = group_speakers(seconds, options.folds) if options.folds else [(name,) for name in seconds]
    plans = []
    for number, speakers in enumerate(groups, start=1):
        fold = Fold(speakers, fold_folder(parent, number, speakers))
        left = leave_out(corpus.table, speakers, recipe.splits)
        plans.append(_Plan(fold, left, recipe_for_fold(recipe, project, fold.folder)))
    return plans


def _check_before_training(plans: list[_Plan], asked: FinetuneOptions) -> None:
    """Refuse, before hours of training, a fold that is there and would come out otherwise; change none of them."""
    for plan in plans:
        run = RunFolder(plan.fold.folder / "runs" / RUN_NAME)
        if (run.path / RUN_FILE).exists():
            corpus_sha256 = hash_of_fold(plan.fold, plan.left)
            check_still_same(plan.fold.folder, plan.recipe, asked, read_record(run), corpus_sha256=corpus_sha256)


def _run_folds(
    plans: list[_Plan],
    corpus: PreparedCorpus,
    asked: FinetuneOptions,
    watch: Callable[[SeriesEvent], None],
    is_stop_asked: Callable[[], bool],
) -> tuple[list[MeasuredFold], list[FoldFacts]] | None:
    """Train and measure all folds: those that could be, and those that could not; None when somebody stopped it.

    Raises:
        TrainingError: no fold could be trained.
    """
    measured: list[MeasuredFold] = []
    failed: list[FoldFacts] = []
    for number, plan in enumerate(plans, start=1):
        who = ", ".join(plan.fold.speakers)
        watch(SeriesNotice(f"Fold {number} of {len(plans)}: without {who}."))
        try:
            found = None if is_stop_asked() else _run_fold(plan, corpus, asked, watch, is_stop_asked)
        except TrainingError as error:
            failed.append(_failed(plan, error))
            watch(SeriesNotice(f"Without {who}: {error.message}"))
            if len(failed) == len(plans):
                raise
            continue
        if found is None:
            return None
        measured.append(found)
    return measured, failed


def _run_fold(
    plan: _Plan,
    corpus: PreparedCorpus,
    asked: FinetuneOptions,
    watch: Callable[[SeriesEvent], None],
    is_stop_asked: Callable[[], bool],
) -> MeasuredFold | None:
    """Train and measure a fold; None when somebody stopped it."""
    fold = plan.fold
    own = open_fold(fold, corpus, plan.recipe, plan.left)
    record = train_or_take(fold.folder, plan.recipe, asked, watch, is_stop_asked=is_stop_asked)
    if record is None:
        return None
    who = fold.folder.name
    measured = measure_run(
        fold.folder,
        plan.recipe,
        own,
        RUN_NAME,
        "test",
        lambda done, total: watch(MeasureProgress(who, "what was left out", done, total)),
    )
    facts = FoldFacts(
        fold=who,
        speakers=fold.speakers,
        hours=record.hours,
        num_utterances=record.num_utterances,
        updates=record.updates,
        num_set_aside=plan.left.num_set_aside,
        seconds_set_aside=plan.left.seconds_set_aside,
        num_unscored=plan.left.num_unscored,
        seconds_unscored=plan.left.seconds_unscored,
        num_known_sentences=plan.left.num_known_sentences,
    )
    return MeasuredFold(facts, record, measured)


def _failed(plan: _Plan, error: LowresError) -> FoldFacts:
    left = plan.left
    return FoldFacts(
        fold=plan.fold.folder.name,
        speakers=plan.fold.speakers,
        hours=0.0,
        num_utterances=0,
        updates=0,
        num_set_aside=left.num_set_aside,
        seconds_set_aside=left.seconds_set_aside,
        num_unscored=left.num_unscored,
        seconds_unscored=left.seconds_unscored,
        num_known_sentences=left.num_known_sentences,
        problem=error.message,
    )
