"""compare: which of a project's recognisers is better, by how much, and whether that is luck; and where they differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from lowres.errors import CheckpointError, CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus, read_corpus_json
from lowres.recipe import Recipe
from lowres.report.compare_cautions import compare_cautions
from lowres.report.compare_contents import CompareContents
from lowres.report.compare_figures import compare_with_first
from lowres.report.compare_files import write_comparison
from lowres.report.compare_page import utterances_shown
from lowres.report.writing import PAGE_FILE
from lowres.stages.compare_gather import TrainedRun, gather_comparison, name_seeds, runs_out_of_date
from lowres.stages.compare_reports import SPLITS, evaluate_command, has_report, read_report
from lowres.stages.compare_same import SharedUtterances, demand_same, take_shared
from lowres.stages.compare_settings import ENDED_WELL, read_recipe_of
from lowres.stages.embed_clips import embed_clips
from lowres.stages.evaluate import EvaluateOptions, EvaluationProgress, evaluate
from lowres.stages.finetune_run import read_record
from lowres.stages.run_folder import RUN_FILE, RunFolder
from lowres.text.graphemes import split_graphemes

_LONGEST_FOLDER_NAME: Final = 120


@dataclass(frozen=True)
class CompareOptions:
    """What the command line asks of a comparison."""

    split: str | None = None
    """"train", "dev" or "test"; None takes the first of test, dev, train that every run has a report of."""

    only_shared: bool = False
    """Compare the utterances that all scored alike, where they did not score the same; else refuse."""

    evaluate_missing: bool = False
    """Make the reports that are missing; else refuse."""

    embed_recordings: bool = True
    """Whether the page holds recordings of what differs most, as far as they are small."""


@dataclass(frozen=True)
class CompareResult:
    """A comparison: what it says, where its page is, and what that holds."""

    contents: CompareContents
    folder: Path
    page_bytes: int
    num_embedded: int

    @property
    def page(self) -> Path:
        """The page."""
        return self.folder / PAGE_FILE


def compare(
    project: Path,
    names: Sequence[str],
    options: CompareOptions,
    progress: Callable[[str, EvaluationProgress], None] = lambda _run, _progress: None,
) -> CompareResult:
    """Compare runs with the first of them, and write reports/compare-<runs>-<split>/.

    Args:
        project: the project folder; its `runs/` and `reports/` are read.
        names: two or more runs; the first is the one that the others are compared with.
        options: of which split, and what to do where something is missing.
        progress: told of the evaluation of a run whose report is missing.

    Raises:
        CheckpointError: there is no such run, a report is missing or damaged, or they are of different tests.
        CorpusError: as `evaluate` raises, where reports are missing and asked for.
        LowresError: the comparison cannot be written.
    """
    runs = _find_runs(project, names)
    split = _choose_split(project, runs, options)
    for run in runs:
        if not has_report(project, run.name, split):
            _make_report(project, run, split, options, progress)
    read = [read_report(project, run.name, split) for run in runs]
    same = take_shared(read) if options.only_shared else SharedUtterances(demand_same(read), 0)
    recipe = read_recipe_of(runs[0].folder) or Recipe()
    cut = partial(split_graphemes, declared=recipe.text.graphemes)
    contents = gather_comparison(runs, same, recipe, split)
    comparisons = compare_with_first(contents.text, contents.runs, split=cut, seed=recipe.evaluate.seed)
    contents = replace(contents, comparisons=name_seeds(runs, comparisons))
    unfinished = [run.name for run in runs if run.record.status not in ENDED_WELL]
    out_of_date = runs_out_of_date(runs, same.reports)
    contents = replace(contents, cautions=compare_cautions(contents, unfinished=unfinished, out_of_date=out_of_date))
    recordings = _recordings(project, contents) if options.embed_recordings else {}
    folder = project / "reports" / comparison_name([run.name for run in runs], split)
    page_bytes = write_comparison(folder, contents, split=cut, recordings=recordings)
    return CompareResult(contents, folder, page_bytes, len(recordings))


def comparison_name(names: Sequence[str], split: str) -> str:
    """Return the name of a comparison's folder; of many runs, it names the first and how many more."""
    name = f"compare-{'-'.join(names)}-{split}"
    if len(name) <= _LONGEST_FOLDER_NAME:
        return name
    return f"compare-{names[0][: _LONGEST_FOLDER_NAME - 40]}-and-{len(names) - 1}-others-{split}"


def _find_runs(project: Path, names: Sequence[str]) -> list[TrainedRun]:
    known = sorted(path.parent.name for path in (project / "runs").glob(f"*/{RUN_FILE}"))
    for number, name in enumerate(names):
        if name not in known:
            listed = f"Runs here: {', '.join(known)}." if known else "There is none yet: run `lowres finetune` first."
            raise CheckpointError(f"There is no run called {name!r} in {project / 'runs'}.", listed)
        if name in names[:number]:
            raise CheckpointError(f"{name} is named twice.", "Name each run once, the one to compare with first.")
    if len(names) < 2:
        raise CheckpointError(
            f"{names[0]} alone cannot be compared.", "Name two runs or more, or none for a table of all."
        )
    folders = [RunFolder(project / "runs" / name) for name in names]
    return [TrainedRun(folder, read_record(folder)) for folder in folders]


def _choose_split(project: Path, runs: Sequence[TrainedRun], options: CompareOptions) -> str:
    if options.split:
        return options.split
    for split in SPLITS:
        if all(has_report(project, run.name, split) for run in runs):
            return split
    for split in SPLITS:
        if any(has_report(project, run.name, split) for run in runs):
            return split
    try:
        return read_corpus_json(project / CORPUS_FOLDER).reported_split
    except CorpusError:
        return SPLITS[0]


def _make_report(
    project: Path,
    run: TrainedRun,
    split: str,
    options: CompareOptions,
    progress: Callable[[str, EvaluationProgress], None],
) -> None:
    """Evaluate a run with the recipe that it was trained with, where that is asked for.

    Raises:
        CheckpointError: it is not asked for; or there is no recipe or no recogniser.
    """
    command = evaluate_command(project, run.name, split, run.record.recipe_name)
    if not options.evaluate_missing:
        raise CheckpointError(
            f"The run {run.name} has no report of the {split} split.",
            f"Make it with `{command}`, or give this command again with --evaluate.",
        )
    recipe = read_recipe_of(run.folder)
    if recipe is None:
        raise CheckpointError(f"The recipe in {run.folder.path} cannot be read.", f"Evaluate by hand: {command}")
    evaluate(project, recipe, EvaluateOptions(run=run.name, split=split), partial(progress, run.name))


def _recordings(project: Path, contents: CompareContents) -> dict[str, str]:
    """Embed what differs most, where the project's corpus still holds it."""
    wanted = [contents.text.utterance_ids[number] for number in utterances_shown(contents)]
    try:
        corpus = load_corpus(project / CORPUS_FOLDER)
    except CorpusError:
        return {}
    return embed_clips(corpus.folder, corpus.table, wanted)
