"""What a check of the utterance table finds: its name, whose fault, and a sentence for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Severity = Literal["drop", "warn"]
_NAMED_IN_SENTENCE: Final = 3


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Attributes:
        name: as in the manifest's `flags` and in checks.tsv ("too-short-for-ctc").
        severity: "drop" leaves the utterances out of everything, "warn" only says so.
        utterance_ids: the offenders, in manifest order.
        details: one short text for each offender, with numbers.
        sentence: for the terminal and the report; "" where nothing was found.
    """

    name: str
    severity: Severity
    utterance_ids: list[str]
    details: list[str]
    sentence: str


def make_result(
    name: str, severity: Severity, utterance_ids: "pd.Series[str]", details: Sequence[str], told: str
) -> CheckResult:
    """Make a result and its sentence.

    Args:
        utterance_ids, details: of the offenders.
        told: what they did, to follow "3 utterances ": "have no text".
    """
    ids = utterance_ids.tolist()
    if not ids:
        return CheckResult(name, severity, [], [], "")
    named = ", ".join(ids[:_NAMED_IN_SENTENCE]) + (", ..." if len(ids) > _NAMED_IN_SENTENCE else "")
    noun = "utterance" if len(ids) == 1 else "utterances"
    consequence = " Left out." if severity == "drop" else ""
    return CheckResult(name, severity, ids, list(details), f"{len(ids):,} {noun}: {told} ({named}).{consequence}")


def column(table: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers as (N,) float64."""
    return table[name].to_numpy(dtype=np.float64)


def describe(template: str, values: npt.NDArray[np.float64]) -> list[str]:
    """Write each value into a template such as "{:.1f} s"."""
    return [template.format(value) for value in values.tolist()]
