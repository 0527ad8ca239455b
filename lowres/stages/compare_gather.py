"""Puts together what a comparison of runs says, from their records, their settings and their reports."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lowres.recipe import Recipe
from lowres.report.compare_contents import CompareContents, ComparedText, Comparison, ScoredRun, SeedGroup
from lowres.report.language_tag import language_tag
from lowres.report.writing import address_beside
from lowres.scoring.error_rates import count_errors
from lowres.stages.compare_reports import ReadReport
from lowres.stages.compare_runs import is_of_other_weights, rate_in
from lowres.stages.compare_same import SharedUtterances
from lowres.stages.compare_settings import differing_outcomes, differing_settings, seed_group
from lowres.stages.finetune_run import RunRecord
from lowres.stages.finetune_seeds import spread_of
from lowres.stages.run_folder import RunFolder


@dataclass(frozen=True)
class TrainedRun:
    """A run folder and what its run.json says."""

    folder: RunFolder
    record: RunRecord

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.path.name


def gather_comparison(
    runs: Sequence[TrainedRun], same: SharedUtterances, recipe: Recipe, split: str
) -> CompareContents:
    """Put together what is compared; without the comparisons, which take long."""
    first = same.reports[0]
    scored = [_scored_run(report) for report in same.reports]
    pairs = [(run.folder, run.record) for run in runs]
    return CompareContents(
        language=str(first.figures.get("language", "")),
        language_code=language_tag(recipe.language.iso_639_3, recipe.language.script),
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
        licence=str(first.figures.get("licence", "")),
        consent=str(first.figures.get("consent", "")),
    )


def _scored_run(report: ReadReport) -> ScoredRun:
    return ScoredRun(
        name=report.run,
        hypotheses=[one.hypothesis for one in report.utterances],
        words=report.words,
        characters=report.characters,
        address=address_beside(report.folder.name),
        words_interval=rate_in(report.figures, "words").interval,
        characters_interval=rate_in(report.figures, "characters").interval,
    )


def _groups(runs: Sequence[TrainedRun], scored: Sequence[ScoredRun]) -> list[SeedGroup]:
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


def name_seeds(runs: Sequence[TrainedRun], comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Mark the comparisons of a run with itself trained with another seed."""
    groups = [seed_group(run.folder, run.record) for run in runs]
    return [replace(one, differs_in_seed_only=bool(groups[0]) and groups[one.run] == groups[0]) for one in comparisons]


def runs_out_of_date(runs: Sequence[TrainedRun], reports: Sequence[ReadReport]) -> list[str]:
    """Name the runs that were trained on since their report was written."""
    pairs = zip(runs, reports, strict=True)
    return [run.name for run, report in pairs if is_of_other_weights(run.folder, report.made_from)]
