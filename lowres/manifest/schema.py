"""The columns of the utterance table and the rows that corpus readers hand over: plain data, no behaviour.

An utterance is one row everywhere: `UtteranceRow` before its audio is read, one line of `manifest.tsv` afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.settings import DEV, OTHER, TEST, TRAIN, SplitName

# Where pyarrow is installed, pandas would keep text in Arrow's memory, which has no room for file names that are not
# UTF-8 (Python's surrogate escapes), and manifests would differ with what else is installed.
pd.options.mode.string_storage = "python"

SPLITS: Final[tuple[SplitName, ...]] = (TRAIN, DEV, TEST, OTHER)

MANIFEST_COLUMNS: Final[tuple[str, ...]] = (
    "utterance_id",
    "split",
    "speaker",
    "language",
    "duration_seconds",
    "num_samples",
    "raw_text",
    "text",
    "audio_path",
    "start_seconds",
    "shard",
    "offset_samples",
    "flags",
    "included",
)
"""The columns of manifest.tsv, in this order. `text` is raw_text after the recipe's rules; `flags` holds names of
checks joined by ";"; rows whose `included` is false stay in the table and are used nowhere."""

FLOAT_COLUMNS: Final = ("duration_seconds", "start_seconds")
INTEGER_COLUMNS: Final = ("num_samples", "offset_samples")
BOOLEAN_COLUMNS: Final = ("included",)
TEXT_COLUMNS: Final = tuple(
    name for name in MANIFEST_COLUMNS if name not in (*FLOAT_COLUMNS, *INTEGER_COLUMNS, *BOOLEAN_COLUMNS)
)

_TYPES: Final = (
    dict.fromkeys(TEXT_COLUMNS, "str")
    | dict.fromkeys(FLOAT_COLUMNS, "float64")
    | dict.fromkeys(INTEGER_COLUMNS, "int64")
    | dict.fromkeys(BOOLEAN_COLUMNS, "bool")
)
COLUMN_TYPES: Final = {name: _TYPES[name] for name in MANIFEST_COLUMNS}
"""pandas' name of the type of each column, in the order of MANIFEST_COLUMNS."""

ALWAYS_READ: Final = ("utterance_id", "split")
"""The columns that no table is without, however few are asked for."""

FLAG_SEPARATOR: Final = ";"


@dataclass(frozen=True, slots=True)
class UtteranceRow:
    """One utterance as a corpus reader found it, before any audio is read.

    Attributes:
        utterance_id: unique in the corpus, not empty.
        audio_path: the recording, posix style, relative to the corpus folder.
        start_seconds: where the utterance starts in the recording, at least 0.
        end_seconds: where it ends; None is the end of the recording.
        channel: which channel to take, from 0; None mixes all of them.
        speaker: a name or a code; "" where nobody knows.
        split: "train", "dev", "test", "other", or "" where none was given.
        raw_text: the transcript exactly as it was written.
        language: any code; "" leaves it to the recipe.
    """

    utterance_id: str
    audio_path: str
    start_seconds: float = 0.0
    end_seconds: float | None = None
    channel: int | None = None
    speaker: str = ""
    split: str = ""
    raw_text: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something a reader met and could not use: where (file, line or utterance) and why, for people to read."""

    place: str
    reason: str


def table_from_rows(rows: Iterable[UtteranceRow]) -> pd.DataFrame:
    """Make a manifest table of readers' rows, in their order; what only the audio can tell is 0, "" or true.

    Args:
        rows: N utterances; `text` starts as raw_text, `duration_seconds` as end - start where both are known, else 0.

    Returns:
        (N, 14) table with MANIFEST_COLUMNS and their fixed types.

    Raises:
        CorpusError: an id is empty or used twice, or a split is unknown.
    """
    listed = list(rows)
    starts = np.array([row.start_seconds for row in listed], dtype=np.float64)
    ends = np.array([row.start_seconds if row.end_seconds is None else row.end_seconds for row in listed])
    raw_texts = [row.raw_text for row in listed]
    table = pd.DataFrame(
        {
            "utterance_id": [row.utterance_id for row in listed],
            "split": [row.split for row in listed],
            "speaker": [row.speaker for row in listed],
            "language": [row.language for row in listed],
            "duration_seconds": ends - starts,
            "num_samples": 0,
            "raw_text": raw_texts,
            "text": raw_texts,
            "audio_path": [row.audio_path for row in listed],
            "start_seconds": starts,
            "shard": "",
            "offset_samples": 0,
            "flags": "",
            "included": True,
        }
    )
    return conform_table(table)


def conform_table(table: pd.DataFrame, columns: Sequence[str] = MANIFEST_COLUMNS) -> pd.DataFrame:
    """Give a table the manifest's columns, their order and types, and refuse what no manifest may hold.

    Args:
        table: has every one of `columns`; further ones are left out. The index is replaced by 0..N-1.
        columns: those of MANIFEST_COLUMNS that are wanted, ALWAYS_READ among them, in order.

    Returns:
        A new table: text columns `str`, counts int64, seconds float64, `included` bool.

    Raises:
        CorpusError: a column is missing, a value has the wrong type, an id is empty or used twice, or a split is
            none of train, dev, test, other and "".
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise CorpusError(f"The utterance table has no column {', '.join(missing)}.")
    types = {name: COLUMN_TYPES[name] for name in columns}
    try:
        conformed = table.loc[:, list(columns)].reset_index(drop=True).astype(types)
    except (ValueError, TypeError) as error:
        raise CorpusError(f"The utterance table holds a value of the wrong type: {error}.") from error
    _refuse_bad_values(conformed)
    return conformed


def _refuse_bad_values(table: pd.DataFrame) -> None:
    blank_columns = [name for name in TEXT_COLUMNS if name in table and table[name].isna().any()]
    if blank_columns:
        raise CorpusError(f"The utterance table has missing values in {', '.join(blank_columns)}; use empty text.")
    if (table["utterance_id"] == "").any():
        row = int((table["utterance_id"] == "").to_numpy().argmax()) + 1
        raise CorpusError(f"Utterance number {row} has no id.", "Give every utterance an id of its own.")
    repeated = table.loc[table["utterance_id"].duplicated(), "utterance_id"]
    if len(repeated):
        raise CorpusError(
            f"The id {repeated.iloc[0]!r} is used by more than one utterance ({len(repeated)} ids too many in all).",
            "Give every utterance an id of its own.",
        )
    unknown = sorted(set(table["split"].unique()) - {*SPLITS, ""})
    if unknown:
        raise CorpusError(
            f"Unknown split {unknown[0]!r}.", f"Use {', '.join(SPLITS)}, or map yours in the recipe's split_names."
        )
    for name in table.columns.intersection([*FLOAT_COLUMNS, *INTEGER_COLUMNS]):
        values = table[name].to_numpy()
        bad = ~np.isfinite(values) | (values < 0)
        if bad.any():
            utterance = table["utterance_id"].iloc[int(bad.argmax())]
            raise CorpusError(f"Utterance {utterance!r} has an impossible {name}: {values[bad.argmax()]}.")
