"""Runs the checks of the utterance table, writes checks.tsv and marks the manifest with what was found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.manifest import signal_checks, text_checks
from lowres.manifest.findings import CheckResult
from lowres.manifest.misfits import MisfitsPlace, check_misfits
from lowres.manifest.schema import FLAG_SEPARATOR
from lowres.manifest.settings import CheckSettings
from lowres.manifest.table import read_table, write_table

CHECKS_FILE: Final = "checks.tsv"
CHECKS_COLUMNS: Final = ("check", "severity", "utterance_id", "detail")


@dataclass(frozen=True)
class CheckInputs:
    """What the table alone does not say.

    Attributes:
        unreadable: utterance_id to the decoder's words, for recordings that could not be read.
        measures: (N, ...) in the table's order: loudest_dbfs, clipped_share, bandwidth_hz, audio_hash. None leaves
            the checks of the signal out.
        alphabet: the recipe's declared symbols; empty leaves that check out.
        list_undeclared: the undeclared symbols of a text (`lowres.text.alphabet.undeclared_symbols`).
        channels: (N,) in the table's order, which channel of its recording an utterance is; None leaves the check of
            overlapping speech out.
        padding_seconds: what was added on both sides of each utterance.
        misfits: where `misfits.tsv` may lie; None leaves that check out.
        is_transcribed: whether there should be text; without, only the audio is checked, and long recordings are
            what is to be expected.
    """

    unreadable: Mapping[str, str] = field(default_factory=dict)
    measures: pd.DataFrame | None = None
    alphabet: Sequence[str] = ()
    list_undeclared: Callable[[str], list[str]] = list
    is_transcribed: bool = True
    channels: Sequence[int | None] | None = None
    padding_seconds: float = 0.0
    misfits: MisfitsPlace | None = None


def run_checks(table: pd.DataFrame, inputs: CheckInputs, settings: CheckSettings) -> list[CheckResult]:
    """Run every check that needs neither splits nor a vocabulary.

    `check_too_short_for_ctc` and `check_shared_sentences` come after, when there are splits and a vocabulary.

    Args:
        table: (N, 14) manifest.

    Returns:
        One result a check, also where nothing was found. An utterance without audio or text is accused of that alone.
    """
    results = [
        signal_checks.check_unreadable(table, inputs.unreadable),
        signal_checks.check_empty_audio(_without(table, inputs.unreadable), settings.min_seconds),
    ]
    if inputs.is_transcribed:
        results += [
            text_checks.check_empty_text(table),
            signal_checks.check_too_long(table, settings.max_seconds),
            text_checks.check_undeclared_symbols(table, inputs.alphabet, inputs.list_undeclared),
            text_checks.check_pace(table, settings.max_pace_ratio, settings.max_pace_deviations),
            text_checks.check_duplicate_text(table),
        ]
        if inputs.misfits is not None:
            results.append(check_misfits(table, inputs.misfits))
    if inputs.channels is not None:
        tolerated = 2 * inputs.padding_seconds
        results.append(signal_checks.check_overlapping_speech(table, inputs.channels, tolerated))
    if inputs.measures is not None:
        results += [
            signal_checks.check_silent(table, inputs.measures, settings.silence_dbfs),
            signal_checks.check_clipped(table, inputs.measures, settings.max_clipped_share),
            signal_checks.check_band_limited(table, inputs.measures, settings.min_bandwidth_hz),
            signal_checks.check_duplicate_audio(table, inputs.measures),
        ]
    return [_as_set(result, settings) for result in results]


def apply_checks(table: pd.DataFrame, results: Iterable[CheckResult]) -> pd.DataFrame:
    """Add the names of checks to `flags` and set `included` to false for what is dropped.

    Returns:
        A new table; flags it had already stay, and nothing that was excluded comes back.
    """
    marked = table.copy()
    flags = pd.Series(table["flags"].to_numpy(dtype=object), index=table["utterance_id"])
    included = pd.Series(table["included"].to_numpy(), index=table["utterance_id"])
    for result in results:
        if result.utterance_ids:
            known = [name for name in result.utterance_ids if name in flags.index]
            flags.loc[known] = [
                FLAG_SEPARATOR.join(dict.fromkeys([*filter(None, before.split(FLAG_SEPARATOR)), result.name]))
                for before in flags.loc[known]
            ]
            if result.severity == "drop":
                included.loc[known] = False
    marked["flags"] = pd.Series(flags.to_numpy(), index=table.index, dtype="str")
    marked["included"] = included.to_numpy(dtype=bool)
    return marked


def write_checks(corpus_folder: Path, results: Iterable[CheckResult]) -> Path:
    """Write checks.tsv: one line for each check and offender (check, severity, utterance_id, detail).

    Raises:
        CorpusError: the disk refused.
    """
    path = corpus_folder / CHECKS_FILE
    rows = (
        (result.name, result.severity, name, detail)
        for result in results
        for name, detail in zip(result.utterance_ids, result.details, strict=True)
    )
    write_table(path, CHECKS_COLUMNS, rows)
    return path


def read_checks(corpus_folder: Path) -> pd.DataFrame | None:
    """Read checks.tsv of a prepared corpus.

    Returns:
        One row for each check and offender: check, severity, utterance_id and detail, all text; None where there is
        no such file, as in a corpus that was joined of others.

    Raises:
        CorpusError: the file is not what `write_checks` writes.
    """
    path = corpus_folder / CHECKS_FILE
    if not path.is_file():
        return None
    return read_table(path, CHECKS_COLUMNS)


def _without(table: pd.DataFrame, ids: Mapping[str, str]) -> pd.DataFrame:
    return table[~table["utterance_id"].isin(list(ids))] if ids else table


def _as_set(result: CheckResult, settings: CheckSettings) -> CheckResult:
    if result.name not in settings.drop or result.severity == "drop":
        return result
    sentence = f"{result.sentence} Left out." if result.sentence else ""
    return replace(result, severity="drop", sentence=sentence)
