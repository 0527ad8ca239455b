"""How well transcripts fit their recordings, as a recogniser heard them: `misfits.tsv`, which `prepare` reads.

The file lies in the project, not in the corpus, and stays when the corpus is prepared again. What it says of an
utterance counts only as long as that has the same transcript and the same length.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.findings import CheckResult, make_result
from lowres.manifest.table import read_table, write_table

MISFITS_FILE: Final = "misfits.tsv"
MISFITS_COLUMNS: Final = ("utterance_id", "seconds", "fit", "verdict", "text", "heard")
MISFIT_CHECK: Final = "misfit"
"""As the manifest's `flags` call it."""

_BAD: Final = "fits no better than a wrong transcript"


@dataclass(frozen=True)
class Misfits:
    """N utterances.

    Attributes:
        utterance_ids, texts, seconds: of the corpus. heard: what the recogniser hears greedily.
        fits: 0-1; 1 = the text is what the recogniser hears. limit: up to this, a transcript fits like a wrong one.
    """

    utterance_ids: tuple[str, ...]
    texts: tuple[str, ...]
    seconds: tuple[float, ...]
    heard: tuple[str, ...]
    fits: tuple[float, ...]
    limit: float

    @property
    def bad(self) -> list[int]:
        """Positions of the utterances that fit badly, the worst first."""
        order = sorted(range(len(self.fits)), key=lambda index: self.fits[index])
        return [index for index in order if self.fits[index] <= self.limit]


def write_misfits(project: Path, misfits: Misfits) -> Path:
    """Write `misfits.tsv`, the worst first.

    Raises:
        CorpusError: the disk refused.
    """
    path = project / MISFITS_FILE
    order = sorted(range(len(misfits.fits)), key=lambda index: misfits.fits[index])
    rows = (
        (
            misfits.utterance_ids[index],
            _as_written(misfits.seconds[index]),
            f"{misfits.fits[index]:.4f}",
            _BAD if misfits.fits[index] <= misfits.limit else "",
            misfits.texts[index],
            misfits.heard[index],
        )
        for index in order
    )
    write_table(path, MISFITS_COLUMNS, rows)
    return path


@dataclass(frozen=True)
class MisfitsPlace:
    """Where `misfits.tsv` of a corpus may lie.

    Attributes:
        project: the folder. prefix: what stands before the names of the utterances there, if the corpus that was looked
            at was joined of several.
    """

    project: Path
    prefix: str = ""

    @property
    def path(self) -> Path:
        """The file."""
        return self.project / MISFITS_FILE


def check_misfits(table: pd.DataFrame, place: MisfitsPlace) -> CheckResult:
    """Find utterances whose transcript fitted badly when `lowres align --corpus` last looked, and is the same still.

    Args:
        table: has utterance_id, text and duration_seconds. place: of the file; without one, nothing is found.

    Raises:
        CorpusError: the file is not what `write_misfits` writes.
    """
    path, prefix = place.path, place.prefix
    if not path.is_file():
        return CheckResult(MISFIT_CHECK, "warn", [], [], "")
    try:
        found = read_table(path, MISFITS_COLUMNS)
    except CorpusError as error:
        raise CorpusError(error.message, f"Delete {path}, or make it again with `lowres align --corpus`.") from error
    bad = found.loc[found["verdict"] == _BAD]
    accused = set(zip(bad["utterance_id"].tolist(), bad["text"].tolist(), bad["seconds"].tolist(), strict=True))
    details = dict(zip(bad["utterance_id"].tolist(), bad["heard"].tolist(), strict=True))
    names, texts, seconds = (table[name].tolist() for name in ("utterance_id", "text", "duration_seconds"))
    is_bad = [
        (f"{prefix}{name}", text, _as_written(length)) in accused
        for name, text, length in zip(names, texts, seconds, strict=True)
    ]
    ids = table["utterance_id"][is_bad]
    return make_result(MISFIT_CHECK, "warn", ids, [f"heard: {details[prefix + name]}" for name in ids.tolist()], _TOLD)


def _as_written(seconds: float) -> str:
    return f"{seconds:.3f}"


_TOLD: Final = "have a transcript that fits what was said no better than a wrong one would"
