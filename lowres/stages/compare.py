"""compare: which of a project's recognisers is better, by how much, and whether that is luck; and where they differ."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from lowres.errors import CheckpointError, CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, load_corpus, read_corpus_json
from lowres.recipe import Recipe
from lowres.report.compare_cautions import compare_cautions
from lowres.report.compare_contents import (
    CompareContents,
    ComparedText,
    Comparison,
    ScoredRun,
    SeedGroup,
)
from lowres.report.compare_figures import compare_with_first
from lowres.report.compare_files import write_comparison
from lowres.report.compare_page import utterances_shown
from lowres.report.writing import PAGE_FILE
from lowres.scoring.error_rates import count_errors
from lowres.stages.compare_reports import (
    SPLITS,
    ReadReport,
    evaluate_command,
    has_report,
    read_report,
)
from lowres.stages.compare_runs import is_of_other_weights, rate_in
from lowres.stages.compare_same import SharedUtterances, demand_same, take_shared
from lowres.stages.compare_settings import (
    ENDED_WELL,
    differing_outcomes,
    differing_settings,
    read_recipe_of,
    seed_group,
)
from lowres.stages.embed_clips import embed_clips
from lowres.stages.evaluate import EvaluateOptions, EvaluationProgress, evaluate
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.finetune_seeds import spread_of
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


@dataclass(frozen=True)
class _Run:
    folder: RunFolder
    record: RunRecord

    @property
    def name(self) -> str:
        return self.folder.path.name


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
    contents = _gather(runs, same, recipe, split)
    comparisons = compare_with_first(contents.text, contents.runs, split=cut, seed=recipe.evaluate.seed)
    contents = replace(contents, comparisons=_name_seeds(runs, comparisons))
    unfinished = [run.name for run in runs if run.record.status not in ENDED_WELL]
    out_of_date = _out_of_date(runs, same.reports)
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


def _find_runs(project: Path, names: Sequence[str]) -> list[_Run]:
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
    return [_Run(folder, read_record(folder)) for folder in folders]


def _choose_split(project: Path, runs: Sequence[_Run], options: CompareOptions) -> str:
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
    run: _Run,
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


def _gather(runs: Sequence[_Run], same: SharedUtterances, recipe: Recipe, split: str) -> CompareContents:
    """Put together what is compared; without the comparisons, which take long."""
    first = same.reports[0]
    scored = [_scored_run(report) for report in same.reports]
    pairs = [(run.folder, run.record) for run in runs]
    code = recipe.language.iso_639_3
    return CompareContents(
        language=str(first.figures.get("language", "")),
        language_code=f"{code}-{recipe.language.script}" if code and recipe.language.script else code,
        corpus_name=str(first.figures.get("corpus", "")),
        split=split,
        synthetic=bool(first.figures.get("synthetic", False)),
        text=ComparedText(
            utterance_ids=[one.utterance_id for one in first.utterances],
            speakers=[one.speaker for one in first.utterances],
            durations_seconds=[one.duration_seconds for one in first.utterances],
            references=[one.reference for one in first.utterances],
        ),
        runs=scored,
        comparisons=(),
        groups=_groups(runs, scored),
        settings=differing_settings(pairs),
        outcomes=differing_outcomes([run.record for run in runs], [report.made_from for report in same.reports]),
        cautions=(),
        num_left_out=same.num_left_out,
    )


def _scored_run(report: ReadReport) -> ScoredRun:
    return ScoredRun(
        name=report.run,
        hypotheses=[one.hypothesis for one in report.utterances],
        words=report.words,
        characters=report.characters,
        address=f"../{report.folder.name}/{PAGE_FILE}",
        words_interval=rate_in(report.figures, "words").interval,
        characters_interval=rate_in(report.figures, "characters").interval,
    )


def _groups(runs: Sequence[_Run], scored: Sequence[ScoredRun]) -> list[SeedGroup]:
    members: defaultdict[str, list[int]] = defaultdict(list)
    for number, run in enumerate(runs):
        if group := seed_group(run.folder, run.record):
            members[group].append(number)
    groups = []
    for numbers in members.values():
        words = [count_errors(scored[number].words).error_rate for number in numbers]
        characters = [count_errors(scored[number].characters).error_rate for number in numbers]
        of_words, of_characters = spread_of([*words]), spread_of([*characters])
        if len(numbers) < 2 or of_words is None or of_characters is None:
            continue
        groups.append(
            SeedGroup(
                runs=tuple(numbers),
                word_error_rates=tuple(words),
                character_error_rates=tuple(characters),
                words_mean=of_words.mean,
                words_deviation=of_words.deviation,
                characters_mean=of_characters.mean,
                characters_deviation=of_characters.deviation,
            )
        )
    return groups


def _name_seeds(runs: Sequence[_Run], comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Mark the comparisons of a run with itself trained with another seed."""
    groups = [seed_group(run.folder, run.record) for run in runs]
    return [replace(one, differs_in_seed_only=bool(groups[0]) and groups[one.run] == groups[0]) for one in comparisons]


def _out_of_date(runs: Sequence[_Run], reports: Sequence[ReadReport]) -> list[str]:
    """Name the runs that were trained on since their report was written."""
    pairs = zip(runs, reports, strict=True)
    return [run.name for run, report in pairs if is_of_other_weights(run.folder, report.made_from)]


def _recordings(project: Path, contents: CompareContents) -> dict[str, str]:
    """Embed what differs most, where the project's corpus still holds it."""
    wanted = [contents.text.utterance_ids[number] for number in utterances_shown(contents)]
    try:
        corpus = load_corpus(project / CORPUS_FOLDER)
    except CorpusError:
        return {}
    return embed_clips(corpus.folder, corpus.table, wanted)
