"""Learning curve: a recogniser for each of several amounts of speech, all measured alike, and what they foretell."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lowres.errors import RecipeError, TrainingError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.recipe import Recipe
from lowres.report.curve_contents import CurveContents, CurvePoint, PointRate, Target
from lowres.report.curve_page import write_curve_report
from lowres.scoring.bootstrap import interval_of, redraw_rates
from lowres.scoring.power_law import FEWEST_POINTS, deviation_of_log
from lowres.stages.curve_cautions import curve_cautions, curve_facts
from lowres.stages.curve_sizes import choose_sizes, training_hours
from lowres.stages.evaluate_run import choose_split
from lowres.stages.finetune import FinetuneOptions
from lowres.stages.finetune_again import MeasureProgress, SeriesEvent, SeriesNotice, check_still_same, train_or_take
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.finetune_speech import hours_label
from lowres.stages.measure_run import Counts, measure_run
from lowres.stages.run_folder import RUN_FILE, RunFolder, name_is_no_path

CURVE_NAME = "curve"


@dataclass(frozen=True)
class CurveOptions:
    """What the command line adds to the recipe."""

    sizes: tuple[float, ...] | None = None
    """Hours of training speech of each run; None doubles them as far as the corpus reaches."""

    runs: tuple[str, ...] = ()
    """Trained runs to take as points; with any, nothing is trained."""

    minutes: float | None = None
    """Time budget of each run."""

    seed: int | None = None
    split: str | None = None
    """What is scored; None takes dev, or test where there is no dev."""

    target: Target | None = None
    name: str = CURVE_NAME
    """Begins the runs' names and is the report's."""


@dataclass(frozen=True)
class CurveResult:
    """The curve, and where its report lies; `contents` is None where somebody stopped it."""

    contents: CurveContents | None
    folder: Path
    page_bytes: int = 0


def learning_curve(
    project: Path,
    recipe: Recipe,
    options: CurveOptions,
    watch: Callable[[SeriesEvent], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> CurveResult:
    """Train on nested amounts of speech, measure all runs on one split, fit a power law and write the report.

    Args:
        project: the project folder; `runs/<name>-<amount>-seed<n>/` and `reports/<name>/` are written.
        recipe: as for `finetune`; every run follows it, with the numbers that it leaves to the hours of speech.
        options: amounts or runs, and what is asked of the curve. Runs that have ended are taken as they are, those
            that were stopped go on.
        watch: told of all runs' events and of what is done between them.
        is_stop_asked: as for `finetune`; no further run is begun then.

    Raises:
        RecipeError: fewer than three amounts.
        CorpusError: no prepared corpus, or no such split.
        CheckpointError: a run is there with other settings, or as `finetune`.
        TrainingError: no run could be trained; the last one's error. A single one that fails is a caution.
        LowresError: the report could not be written.
    """
    corpus = load_corpus(project / CORPUS_FOLDER)
    corpus.require_transcripts()
    split = choose_split(corpus, options.split or ("" if corpus.rows("dev").empty else "dev"))
    folder = project / "reports" / name_is_no_path(options.name)
    problems: list[str] = []
    if options.runs:
        records = [_read_run(project, name) for name in dict.fromkeys(options.runs)]
    else:
        trained = _train_all(project, recipe, options, corpus, watch, is_stop_asked)
        if trained is None:
            return CurveResult(None, folder)
        records, problems = trained
    points = []
    for record in records:
        if is_stop_asked():
            return CurveResult(None, folder)
        points.append(_measure(project, recipe, corpus, record, split, watch))
    rows = corpus.rows(split)
    contents = CurveContents(
        language=recipe.language.name or recipe.name or corpus.info.name,
        corpus_name=corpus.info.name,
        split=split,
        num_utterances=len(rows),
        seconds=float(rows["duration_seconds"].sum()),
        points=tuple(sorted(points, key=lambda point: point.hours)),
        hours_there=training_hours(corpus),
        wanted=options.target,
        cautions=(*problems, *curve_cautions(corpus, records, split)),
        facts=curve_facts(corpus, recipe, records),
        synthetic=corpus.info.synthetic,
        nests=not options.runs,  # of runs that somebody chose, nobody knows
    )
    return CurveResult(contents, folder, write_curve_report(folder, contents))


def _train_all(
    project: Path,
    recipe: Recipe,
    options: CurveOptions,
    corpus: PreparedCorpus,
    watch: Callable[[SeriesEvent], None],
    is_stop_asked: Callable[[], bool],
) -> tuple[list[RunRecord], list[str]] | None:
    """Train or take a run for each amount; return them and what failed, or None when somebody stopped it."""
    sizes = choose_sizes(corpus, options.sizes)
    if len(sizes) < FEWEST_POINTS:
        raise RecipeError(
            f"A curve takes {FEWEST_POINTS} different amounts of speech, and there are {len(sizes)}: "
            f"the corpus has {training_hours(corpus):.2f} h to train on.",
            "Name smaller ones, such as --sizes 3min,6min,12min.",
        )
    asked = [
        FinetuneOptions(hours, options.minutes, options.seed, _run_name(recipe, options, hours)) for hours in sizes
    ]
    for one in asked:
        folder = RunFolder(project / "runs" / str(one.run))
        if (folder.path / RUN_FILE).exists():
            check_still_same(project, recipe, one, read_record(folder))
    records, problems = [], []
    for number, one in enumerate(asked, start=1):
        watch(SeriesNotice(f"Amount {number} of {len(asked)}: {hours_label(one.hours)}, run {one.run}."))
        try:
            record = train_or_take(project, recipe, one, watch, is_stop_asked=is_stop_asked)
        except TrainingError as error:
            problems.append(f"{hours_label(one.hours)} is no point of the curve. {error.message}")
            watch(SeriesNotice(problems[-1]))
            if len(problems) == len(asked):
                raise
            continue
        if record is None:
            return None
        records.append(record)
    return records, problems


def _run_name(recipe: Recipe, options: CurveOptions, hours: float | None) -> str:
    seed = recipe.finetune.seed if options.seed is None else options.seed
    return f"{name_is_no_path(options.name)}-{hours_label(hours)}-seed{seed}"


def _read_run(project: Path, name: str) -> RunRecord:
    return replace(read_record(RunFolder(project / "runs" / name_is_no_path(name))), name=name)


def _measure(
    project: Path,
    recipe: Recipe,
    corpus: PreparedCorpus,
    record: RunRecord,
    split: str,
    watch: Callable[[SeriesEvent], None],
) -> CurvePoint:
    measured = measure_run(
        project,
        recipe,
        corpus,
        record.name,
        split,
        lambda done, total: watch(MeasureProgress(record.name, split, done, total)),
    )
    seed = recipe.evaluate.seed
    return CurvePoint(
        run=record.name,
        label=record.subset_label,
        hours=record.hours,
        num_utterances=record.num_utterances,
        updates=record.updates,
        seed=record.seed_used,
        words=_rate(measured.words, seed),
        characters=_rate(measured.characters, seed),
    )


def _rate(counts: tuple[Counts, Counts], seed: int) -> PointRate:
    errors, lengths = counts
    redrawn = redraw_rates(errors, lengths, seed=seed)
    interval = interval_of(redrawn, len(errors)) if len(errors) > 1 else None
    return PointRate(float(errors.sum() / max(lengths.sum(), 1)), interval, deviation_of_log(redrawn))
