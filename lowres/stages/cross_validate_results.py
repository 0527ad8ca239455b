"""What the folds of a cross-validation found, put together: speaker by speaker, all together, and with cautions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lowres import __version__
from lowres.backbones.checkpoint_folder import read_metadata
from lowres.errors import LowresError
from lowres.manifest.corpus import PreparedCorpus
from lowres.recipe import Recipe
from lowres.report.cross_validation_contents import (
    FoldFacts,
    MeasuredRate,
    OfficialResult,
    Pooled,
    SpeakerResult,
    Unit,
)
from lowres.report.cross_validation_sentences import name_of
from lowres.report.terms import terms
from lowres.scoring.bootstrap import FEW_SPEAKERS, interval_of, interval_over_speakers, redraw_rates
from lowres.stages.evaluate_run import best_checkpoint, training_rows
from lowres.stages.finetune import FinetuneOptions
from lowres.stages.finetune_again import ENDED, MeasureProgress, SeriesEvent, find_difference
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.measure_run import Counts, MeasuredRun, measure_run
from lowres.stages.run_folder import RUN_FILE, RunFolder

_FEW_UTTERANCES = 50


@dataclass(frozen=True)
class MeasuredFold:
    """A fold that was trained: what it is, its run, and the errors of what was left out."""

    facts: FoldFacts
    record: RunRecord
    measured: MeasuredRun


@dataclass(frozen=True)
class MeasuredOfficial:
    """The run of the same settings on the corpus's own split, its errors, and whom it was trained on."""

    result: OfficialResult
    measured: MeasuredRun
    known_speakers: frozenset[str]


def speaker_results(
    folds: Sequence[MeasuredFold], official: MeasuredOfficial | None, seed: int
) -> tuple[SpeakerResult, ...]:
    """Return one result for each speaker, the worst heard first, beside the same speaker in the official split."""
    known = _by_speaker(official.measured) if official else {}
    results = []
    for fold in folds:
        for speaker, places in _by_speaker(fold.measured).items():
            there = known.get(speaker)
            results.append(
                SpeakerResult(
                    speaker=speaker,
                    fold=fold.facts.fold,
                    num_utterances=len(places),
                    seconds=float(np.array(fold.measured.durations_seconds)[places].sum()),
                    letters=_rate(fold.measured.characters, places, seed),
                    words=_rate(fold.measured.words, places, seed),
                    official=(
                        _rate(official.measured.characters, there, seed),
                        _rate(official.measured.words, there, seed),
                    )
                    if official and there is not None
                    else None,
                    is_known_there=official is not None and speaker in official.known_speakers,
                )
            )
    return tuple(sorted(results, key=lambda result: -result.letters.error_rate))


def pool(folds: Sequence[MeasuredFold], unit: Unit, seed: int) -> Pooled:
    """Score all left-out utterances together."""
    pairs = [fold.measured.characters if unit == "letters" else fold.measured.words for fold in folds]
    errors, lengths = (np.concatenate(counts) for counts in zip(*pairs, strict=True))
    speakers = [speaker for fold in folds for speaker in fold.measured.speakers]
    rate = _rate((errors, lengths), np.arange(len(errors)), seed)
    over_speakers = interval_over_speakers(errors.tolist(), lengths.tolist(), speakers, seed=seed)
    return Pooled(rate.error_rate, rate.interval, over_speakers)


def _by_speaker(measured: MeasuredRun) -> dict[str, Counts]:
    """Return the places of each speaker's utterances."""
    speakers = np.array(measured.speakers, dtype=object)
    return {str(name): np.flatnonzero(speakers == name) for name in sorted(set(measured.speakers))}


def _rate(counts: tuple[Counts, Counts], places: Counts, seed: int) -> MeasuredRate:
    errors, lengths = counts[0][places], counts[1][places]
    redrawn = redraw_rates(errors, lengths, seed=seed)
    usable = redrawn[np.isfinite(redrawn)]
    return MeasuredRate(
        error_rate=float(errors.sum() / max(int(lengths.sum()), 1)),
        interval=interval_of(redrawn, len(places)) if len(places) > 1 else None,
        deviation=float(usable.std()) if usable.size and len(places) > 1 else 0.0,
    )


def measure_official(
    project: Path,
    recipe: Recipe,
    corpus: PreparedCorpus,
    asked: FinetuneOptions,
    watch: Callable[[SeriesEvent], None],
) -> MeasuredOfficial | None:
    """Measure the project's own run of the same settings on the split that it is reported on; None without one."""
    run = _find_same(project, recipe, asked)
    split = corpus.info.reported_split
    rows = corpus.rows(split)
    if run is None or rows.empty:
        return None
    measured = measure_run(
        project, recipe, corpus, run, split, lambda done, total: watch(MeasureProgress(run, split, done, total))
    )
    everything = np.arange(len(rows))
    speakers = set(rows["speaker"])
    known = frozenset(training_rows(corpus, read_metadata(best_checkpoint(project / "runs" / run)))["speaker"])
    result = OfficialResult(
        run=run,
        split=split,
        num_utterances=len(rows),
        num_speakers=len(speakers),
        num_heard_speakers=len(speakers & known),
        letters=_rate(measured.characters, everything, recipe.evaluate.seed),
        words=_rate(measured.words, everything, recipe.evaluate.seed),
    )
    return MeasuredOfficial(result, measured, known)


def _find_same(project: Path, recipe: Recipe, asked: FinetuneOptions) -> str | None:
    """Return the name of a run that has ended and would come out the same with these settings."""
    for path in sorted((project / "runs").glob(f"*/{RUN_FILE}")):
        try:
            record = read_record(RunFolder(path.parent))
        except LowresError:  # a pretraining, or another version's
            continue
        if record.status in ENDED and not find_difference(project, recipe, asked, record):
            return path.parent.name
    return None


def cautions_about(
    corpus: PreparedCorpus, folds: Sequence[MeasuredFold], failed: Sequence[FoldFacts], hours: float | None
) -> tuple[str, ...]:
    """Return sentences on what to know before believing the figures, the gravest first."""
    found = [f"{_who(facts)}: no figure. {facts.problem}" for facts in failed]
    if corpus.info.synthetic:
        found.insert(0, "A machine spoke these recordings: the figures say nothing about real speakers.")
    backbones = sorted({fold.record.backbone for fold in folds} - {""})
    known = [fold.facts for fold in folds if fold.facts.num_known_sentences]
    if known:
        found.append(
            f"Others said the same sentences: {sum(facts.num_known_sentences for facts in known):,} of the left-out "
            "utterances are, word for word, in the training of their fold, since leaving them out would have cost too "
            "much speech (splits.max_set_aside_share). For new sentences, expect more errors."
        )
    if len({speaker for fold in folds for speaker in fold.measured.speakers}) < FEW_SPEAKERS:
        found.append(
            f"Fewer than {FEW_SPEAKERS} speakers were left out: the mean over them is a rough figure for anybody else."
        )
    short = [fold.facts for fold in folds if hours is not None and fold.record.hours < 0.9 * hours]
    found += [f"{_who(facts)}: the others said only {facts.hours:.2f} h to train on." for facts in short]
    few = [fold for fold in folds if len(fold.measured.utterance_ids) < _FEW_UTTERANCES]
    found += [f"{_who(fold.facts)}: only {len(fold.measured.utterance_ids)} utterances were scored." for fold in few]
    if backbones:
        found.append(
            f"Every fold starts from {', '.join(backbones)}. If that was itself trained on recordings of these "
            "speakers, they were not wholly new to it; lowres cannot know."
        )
    found.append(
        "Each fold was trained once, on other speech than the next: part of the differences between speakers is the "
        "chance of training."
    )
    return tuple(found)


def _who(facts: FoldFacts) -> str:
    named = ", ".join(name_of(speaker) for speaker in facts.speakers[:3])
    return f"Without {named}{' and others' if len(facts.speakers) > 3 else ''}"


def facts_about(corpus: PreparedCorpus, recipe: Recipe, folds: Sequence[MeasuredFold]) -> tuple[tuple[str, str], ...]:
    """Return (name, value) pairs for people who want to repeat the figures."""
    record = folds[-1].record
    seconds = sum(fold.record.wall_seconds for fold in folds)
    return (
        *terms(corpus.info.licence, corpus.info.consent),
        ("Corpus manifest", f"sha256 {corpus.info.manifest_sha256[:16]}"),
        ("Recipe", f"{recipe.name}, sha256 {record.recipe_sha256[:16]}"),
        ("Backbone", record.backbone or "none: random weights"),
        ("Seed", str(record.settings["seed"])),
        ("Training", f"{seconds / 60:,.0f} minutes in all"),
        ("Decoding", "greedy, without a language model"),
        ("lowres", __version__),
    )
