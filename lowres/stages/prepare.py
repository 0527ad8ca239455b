"""prepare: recordings, with or without transcripts, become a prepared corpus, ready to train on.

The corpus is made in `corpus.partial/` beside `corpus/` and takes its place only when it is complete; an interrupted
or failed run leaves the old corpus as it was and what it had decoded for the next run.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lowres.audio.parts import PartResult
from lowres.corpora.layouts import read_corpus
from lowres.corpora.reading import CorpusReading
from lowres.errors import CorpusError, RecipeError
from lowres.manifest.checks import apply_checks, write_checks
from lowres.manifest.corpus import CORPUS_FOLDER, CorpusInfo, PreparedCorpus, write_corpus
from lowres.manifest.findings import CheckResult
from lowres.manifest.misfits import MisfitsPlace
from lowres.manifest.overlap import count_overlap
from lowres.manifest.settings import TRAIN
from lowres.manifest.splits import SplitResult, assign_splits, split_recordings
from lowres.manifest.subsets import nested_subsets, write_subsets
from lowres.manifest.transcript_order import TranscriptOrder, check_transcript_order
from lowres.manifest.writing_alone import writing_alone
from lowres.recipe import Recipe, run_text_tests
from lowres.stages.machine import num_cores
from lowres.stages.prepare_checks import check_before_splits, check_with_vocabulary, report_skipped
from lowres.stages.prepare_corrections import correct_reading
from lowres.stages.prepare_decode import PARTS_FOLDER, Part, decode_parts, plan_parts, shard_name
from lowres.stages.prepare_locate import LocatedCorpus, locate_corpus
from lowres.stages.prepare_origin import fingerprint_origin, misfits_place, write_origin
from lowres.stages.prepare_table import build_table, describe_measures
from lowres.text.normalize import describe_rules
from lowres.text.vocabulary import Vocabulary, build_vocabulary

_NUM_EXAMPLE_WORDS = 20
_MOST_EXAMPLE_TEXTS = 5000
_PATIENCE_SECONDS = 60.0
"""For somebody who is saving a correction."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done ("downloading", "reading", "decoding", "checking"), how much of it is done, and how
much there is (0 = not known); "downloading" and "decoding" count bytes."""


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """What a run of prepare may be told beside its recipe.

    Attributes:
        num_workers: processes that decode; None = as many as this process may use processors.
        seed: of the splits, where none came with the corpus.
        cluster: address of a Dask scheduler whose workers decode instead; "" for none.
    """

    num_workers: int | None = None
    seed: int = 1
    cluster: str = ""


@dataclass(frozen=True)
class PrepareResult:
    """A prepared corpus and all there is to say about it.

    Attributes:
        corpus: as `lowres.manifest.corpus.load_corpus` will load it.
        source_folder: where the recordings are.
        checks: one result a check, also where nothing was found; what the reader left out is the check "skipped".
        splits: how the splits came about.
        order: whether transcripts stand beside their recordings; None where there are no transcripts.
        notes: what the reader had to guess.
        segmentations: words of the training text, each with the vocabulary's symbols that it is made of.
        vocabulary: a preview, from all training text; fine-tuning builds its own. None without transcripts.
        num_recordings, num_parts, num_reused_parts: of the audio; reused parts were decoded by an earlier run.
    """

    corpus: PreparedCorpus
    source_folder: Path
    checks: list[CheckResult]
    splits: SplitResult
    order: TranscriptOrder | None
    notes: list[str]
    segmentations: list[tuple[str, list[str]]]
    vocabulary: Vocabulary | None
    num_recordings: int
    num_parts: int
    num_reused_parts: int


@dataclass(frozen=True)
class _Checked:
    """The finished table and everything that was found on the way to it."""

    table: pd.DataFrame
    checks: list[CheckResult]
    splits: SplitResult
    vocabulary: Vocabulary | None
    order: TranscriptOrder | None


def prepare(
    project: Path, recipe: Recipe, options: PrepareOptions, progress: Progress, *, target: Path | None = None
) -> PrepareResult:
    """Prepare a corpus as a recipe says.

    Args:
        project: the project folder; made if it is not there.
        recipe: see `lowres.recipe`.
        options: see `PrepareOptions`.
        progress: see `Progress`.
        target: the folder of the prepared corpus; `project`/corpus without it.

    Raises:
        RecipeError: the recipe's own tests fail, or it names no corpus.
        CorpusError: the corpus is missing, has another layout, or holds nothing usable; or the disk is full. A corpus
            that was prepared before is then untouched.
    """
    _run_text_tests(recipe)
    located = locate_corpus(project, recipe, lambda _url, done, total: progress("downloading", done, total or 0))
    progress("reading", 0, 0)
    target = target or project / CORPUS_FOLDER
    misfits = misfits_place(project, target)
    origin = fingerprint_origin(recipe, located, options.seed, misfits)
    reading = read_corpus(located.folder, located.reader)
    partial = target.with_name(f"{target.name}.partial")
    recover_corpus(target)
    parts = plan_parts(located.folder, reading.rows)
    workers = options.num_workers or num_cores()
    decoded = decode_parts(
        parts,
        partial,
        target,
        workers,
        lambda done, total: progress("decoding", done, total),
        cluster=options.cluster,
    )
    progress("checking", 0, 0)
    check = _check if located.reader.has_transcripts else _check_recordings
    # What is corrected meanwhile would otherwise be gone with the old corpus.
    with writing_alone(project, patience_seconds=_PATIENCE_SECONDS):
        reading = correct_reading(reading, project, target)
        checked = check(reading, parts, decoded.results, recipe, options, misfits)
        info = _write(partial, recipe, located, checked, decoded.results, reading)
        write_origin(partial, origin)
        replace_corpus(target, partial)
    return PrepareResult(
        corpus=PreparedCorpus(target, checked.table, info),
        source_folder=located.folder,
        checks=checked.checks,
        splits=checked.splits,
        order=checked.order,
        notes=reading.notes,
        segmentations=_segment_words(checked.table, checked.vocabulary),
        vocabulary=checked.vocabulary,
        num_recordings=sum(len(part.jobs) for part in parts),
        num_parts=len(parts),
        num_reused_parts=decoded.num_reused,
    )


def _run_text_tests(recipe: Recipe) -> None:
    failures = run_text_tests(recipe)
    if failures:
        first = failures[0]
        raise RecipeError(
            f"{len(failures)} of {len(recipe.text.tests)} text tests of the recipe {recipe.name!r} fail: "
            f"{first.source!r} becomes {first.actual!r}, and the test says {first.expected!r}.",
            "Correct text.rules or the test in the recipe.",
        )


def _check(
    reading: CorpusReading,
    parts: Sequence[Part],
    results: Sequence[PartResult],
    recipe: Recipe,
    options: PrepareOptions,
    misfits: MisfitsPlace,
) -> _Checked:
    """Make the table, find its faults, split it, and find the faults that show only against a vocabulary."""
    table, unreadable = build_table(reading.rows, parts, results, recipe)
    order = check_transcript_order(table)
    measures, channels = describe_measures(parts, results, len(table)), [row.channel for row in reading.rows]
    checks = check_before_splits(table, measures, unreadable, recipe, channels=channels, misfits=misfits)
    table = apply_checks(table, checks)
    _refuse_nothing_left(table, checks)
    given = table["split"]
    splits = assign_splits(table, recipe.splits, options.seed)
    vocabulary = _preview_vocabulary(table.assign(split=splits.splits), recipe)
    late = check_with_vocabulary(table.assign(split=splits.splits), vocabulary, recipe)
    if any(check.severity == "drop" and check.utterance_ids for check in late):
        table = apply_checks(table, late)
        _refuse_nothing_left(table, [*checks, *late])
        splits = assign_splits(table.assign(split=given), recipe.splits, options.seed)
        late = [*late[:1], *check_with_vocabulary(table.assign(split=splits.splits), vocabulary, recipe)[1:]]
    table = apply_checks(table.assign(split=splits.splits), late)
    return _Checked(table, [report_skipped(reading.skipped), *checks, *late], splits, vocabulary, order)


def _check_recordings(
    reading: CorpusReading,
    parts: Sequence[Part],
    results: Sequence[PartResult],
    recipe: Recipe,
    options: PrepareOptions,
    _misfits: MisfitsPlace,
) -> _Checked:
    """Do what `_check` does for recordings without transcripts: only their audio can have faults."""
    table, unreadable = build_table(reading.rows, parts, results, recipe)
    measures = describe_measures(parts, results, len(table))
    checks = check_before_splits(table, measures, unreadable, recipe, is_transcribed=False)
    table = apply_checks(table, checks)
    _refuse_nothing_left(table, checks)
    splits = split_recordings(table, recipe.splits, options.seed)
    table = table.assign(split=splits.splits)
    return _Checked(table, [report_skipped(reading.skipped), *checks], splits, None, None)


def _refuse_nothing_left(table: pd.DataFrame, checks: Sequence[CheckResult]) -> None:
    if table["included"].any():
        return
    reasons = "; ".join(
        f"{check.name}: {len(check.utterance_ids)} (such as {check.utterance_ids[0]}: {check.details[0].rstrip('.')})"
        for check in checks
        if check.severity == "drop" and check.utterance_ids
    )
    what = "The only utterance" if len(table) == 1 else f"None of the {len(table)} utterances"
    can = "cannot" if len(table) == 1 else "can"
    raise CorpusError(f"{what} {can} be used. {reasons}.", "Put these right in the corpus, then prepare it again.")


def _preview_vocabulary(table: pd.DataFrame, recipe: Recipe) -> Vocabulary:
    train = table["included"] & (table["split"] == TRAIN)
    # A corpus of test material alone still gets its checks, against the symbols that it has.
    texts = table.loc[train if train.any() else table["included"], "text"].tolist()
    return build_vocabulary(texts, recipe.vocabulary)


def _write(
    partial: Path,
    recipe: Recipe,
    located: LocatedCorpus,
    checked: _Checked,
    results: Sequence[PartResult],
    reading: CorpusReading,
) -> CorpusInfo:
    table = checked.table
    train = table[table["included"] & (table["split"] == TRAIN)]
    # Subsets are amounts of transcribed speech to compare figures on.
    subset_hashes = write_subsets(partial, nested_subsets(train)) if located.reader.has_transcripts else {}
    info = CorpusInfo(
        name=recipe.name,
        language=recipe.language.iso_639_3 or recipe.language.name,
        recipe_name=recipe.name,
        licence=located.licence,
        consent=located.consent,
        source=located.source,
        citation=located.citation,
        text_rules=tuple(describe_rules(recipe.text.rules)),
        warnings=(*_warnings(checked, reading), *_compare_subsets(located, subset_hashes)),
        speaker_disjoint=checked.splits.speaker_disjoint,
        sentence_disjoint=checked.splits.sentence_disjoint,
        splits_origin=checked.splits.origin,
        reported_split=checked.splits.reported_split,
        overlap=count_overlap(table),
        subset_sha256=subset_hashes,
        shard_sha256={shard_name(number): result.shard_sha256 for number, result in enumerate(results)},
        synthetic=recipe.corpus.synthetic,
        transcribed=located.reader.has_transcripts,
        taken_over=reading.taken_over,
    )
    write_checks(partial, checked.checks)
    return write_corpus(partial, table, info)


def _warnings(checked: _Checked, reading: CorpusReading) -> list[str]:
    """Gather what the reports will repeat, the gravest first."""
    order = checked.order
    accused = [order.sentence] if order is not None and order.is_accusation else []
    left_out = [check.sentence for check in checked.checks if check.severity == "drop" and check.sentence]
    return [*accused, *checked.splits.warnings, *reading.notes, *left_out]


def _compare_subsets(located: LocatedCorpus, found: Mapping[str, str]) -> list[str]:
    """Say which training subsets are not the fixed ones of a public corpus, so that nobody compares figures."""
    other = [label for label, expected in located.subset_hashes.items() if found.get(label, expected) != expected]
    if not other:
        return []
    return [
        f"The training subsets {', '.join(other)} are not the fixed ones of this corpus (another version of it, other "
        "splits, or utterances left out), so figures on them cannot be compared with those of others."
    ]


def _segment_words(table: pd.DataFrame, vocabulary: Vocabulary | None) -> list[tuple[str, list[str]]]:
    """Choose words that show as many of the vocabulary's symbols as twenty words can, each as often as another."""
    if vocabulary is None:
        return []
    texts = table.loc[table["included"] & (table["split"] == TRAIN), "text"]
    words = sorted({word for text in texts.tolist()[:_MOST_EXAMPLE_TEXTS] for word in text.split()})
    words = [word for word in words if not word.isdecimal()] or words
    symbols = {word: [vocabulary.display(token_id) for token_id in vocabulary.encode(word)] for word in words}
    chosen: list[str] = []
    shown: Counter[str] = Counter()
    for _ in range(min(_NUM_EXAMPLE_WORDS, len(words))):
        # A symbol is worth less each time it was shown; several letters in one symbol are what people look for.
        best = max(
            words, key=lambda word: sum(len(symbol) * 0.25 ** shown[symbol] for symbol in dict.fromkeys(symbols[word]))
        )
        chosen.append(best)
        shown.update(set(symbols[best]))
        words.remove(best)
    return [(word, symbols[word]) for word in chosen]


def recover_corpus(target: Path) -> None:
    """Put the old corpus back if an earlier run was killed while exchanging it."""
    old = target.with_name(f"{target.name}.old")
    if old.is_dir() and not target.exists():
        old.rename(target)


def replace_corpus(target: Path, partial: Path) -> None:
    """Put the finished corpus in the place of the old one."""
    shutil.rmtree(partial / PARTS_FOLDER, ignore_errors=True)
    old = target.with_name(f"{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)
