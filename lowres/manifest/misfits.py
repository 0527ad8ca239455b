"""How well transcripts fit their recordings, as a recogniser heard them: `misfits.tsv`, which `prepare` reads.

The file lies in the project, not in the corpus, and stays when the corpus is prepared again. What it says of an
utterance counts only as long as that has the same transcript.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from lowres.errors import CorpusError
from lowres.manifest.findings import CheckResult, make_result
from lowres.manifest.table import read_table, write_table

MISFITS_FILE: Final = "misfits.tsv"
MISFITS_COLUMNS: Final = ("utterance_id", "fit", "verdict", "text", "heard")
_BAD: Final = "fits no better than a wrong transcript"


@dataclass(frozen=True)
class Misfits:
    """N utterances.

    Attributes:
        utterance_ids, texts: of the corpus. heard: what the recogniser hears greedily.
        fits: 0-1; 1 = the text is what the recogniser hears. limit: up to this, a transcript fits like a wrong one.
    """

    utterance_ids: tuple[str, ...]
    texts: tuple[str, ...]
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
            f"{misfits.fits[index]:.4f}",
            _BAD if misfits.fits[index] <= misfits.limit else "",
            misfits.texts[index],
            misfits.heard[index],
        )
        for index in order
    )
    write_table(path, MISFITS_COLUMNS, rows)
    return path


def check_misfits(table: pd.DataFrame, project: Path) -> CheckResult:
    """Find utterances whose transcript fitted badly when `lowres align --corpus` last looked, and is the same still.

    Args:
        table: has utterance_id and text. project: where `misfits.tsv` may lie.

    Raises:
        CorpusError: the file is not what `write_misfits` writes.
    """
    path = project / MISFITS_FILE
    if not path.is_file():
        return CheckResult("misfit", "warn", [], [], "")
    try:
        found = read_table(path, MISFITS_COLUMNS)
    except CorpusError as error:
        raise CorpusError(error.message, f"Delete {path}, or make it again with `lowres align --corpus`.") from error
    bad = found.loc[found["verdict"] == _BAD]
    accused = dict(zip(bad["utterance_id"].tolist(), bad["text"].tolist(), strict=True))
    details = dict(zip(bad["utterance_id"].tolist(), bad["heard"].tolist(), strict=True))
    is_bad = [accused.get(name) == text for name, text in zip(table["utterance_id"], table["text"], strict=True)]
    ids = table["utterance_id"][is_bad]
    return make_result("misfit", "warn", ids, [f"heard: {details[name]}" for name in ids.tolist()], _TOLD)


_TOLD: Final = "have a transcript that fits what was said no better than a wrong one would"
