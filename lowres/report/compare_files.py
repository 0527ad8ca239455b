"""The folder of a comparison: report.html, report.json and differences.tsv."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lowres.manifest.table import BYTE_ORDER_MARK
from lowres.report.compare_contents import CompareContents, Comparison, Measured
from lowres.report.compare_page import render_comparison
from lowres.report.compare_sentences import counts_sentence, headline, letters_sentence, luck_sentence
from lowres.report.writing import write_file, write_page_and_data
from lowres.scoring.alignment import SplitText
from lowres.scoring.bootstrap import CONFIDENCE, NUM_REPLICATES
from lowres.scoring.paired import PairedDifference
from lowres.scoring.significance import LEVEL, NUM_SWAPS, POWER

TABLE_FILE: Final = "differences.tsv"
COMPARE_SCHEMA_VERSION: Final = 1
DIFFERENCE_COLUMNS: Final = (
    "utterance_id",
    "speaker",
    "duration_seconds",
    "compared_with",
    "run",
    "outcome",
    "character_errors_before",
    "character_errors",
    "num_characters",
    "word_errors_before",
    "word_errors",
    "num_words",
    "reference",
    "hypothesis_before",
    "hypothesis",
)
_AGAIN: Final = "Free some disk space or check the folder's permissions, then compare again."


def write_comparison(
    folder: Path, contents: CompareContents, *, split: SplitText, recordings: Mapping[str, str]
) -> int:
    """Write the three files.

    Args:
        folder: e.g. reports/compare-a-b-test.
        contents: everything the comparison says.
        split: cuts a word into letters with their marks.
        recordings: data addresses by utterance id.

    Returns:
        The size of the page in bytes.

    Raises:
        LowresError: the folder cannot be written.
    """
    write_file(folder / TABLE_FILE, BYTE_ORDER_MARK + differences_table(contents), hint=_AGAIN)
    page = render_comparison(contents, split=split, recordings=recordings)
    return write_page_and_data(folder, comparison_json(contents), page, hint=_AGAIN)


def differences_table(contents: CompareContents) -> str:
    """Return differences.tsv: a row for each utterance of each compared run, what became worst first."""
    memory = io.StringIO()
    writer = csv.writer(memory, delimiter="\t", lineterminator="\n")
    writer.writerow(DIFFERENCE_COLUMNS)
    text, before = contents.text, contents.baseline
    for comparison in contents.comparisons:
        now = contents.runs[comparison.run]
        for change in sorted(comparison.utterances, key=lambda one: one.largest_first("worse")):
            place = change.number
            writer.writerow(
                (
                    text.utterance_ids[place],
                    text.speakers[place],
                    f"{text.durations_seconds[place]:.3f}",
                    before.name,
                    now.name,
                    change.outcome,
                    change.character_errors_before,
                    change.character_errors,
                    now.characters[place].num_reference,
                    change.word_errors_before,
                    change.word_errors,
                    now.words[place].num_reference,
                    text.references[place],
                    before.hypotheses[place],
                    now.hypotheses[place],
                )
            )
    return memory.getvalue()


def comparison_json(contents: CompareContents) -> dict[str, Any]:
    """Return report.json: every figure of the comparison, rates and chances from 0 to 1 (null where there is none)."""
    return {
        "schema_version": COMPARE_SCHEMA_VERSION,
        "kind": "comparison",
        "language": contents.language,
        "corpus": contents.corpus_name,
        "split": contents.split,
        "synthetic": contents.synthetic,
        "licence": contents.licence,
        "consent": contents.consent,
        "num_utterances": len(contents.text.utterance_ids),
        "num_left_out": contents.num_left_out,
        "runs": [run.name for run in contents.runs],
        "compared_with": contents.baseline.name,
        "method": {
            "confidence": CONFIDENCE,
            "num_replicates": NUM_REPLICATES,
            "num_swaps": NUM_SWAPS,
            "level": LEVEL,
            "power": POWER,
            "tests": ["paired bootstrap", "approximate randomisation"],
            "correction": "Holm" if len(contents.comparisons) > 1 else None,
        },
        "comparisons": [_comparison(contents, one) for one in contents.comparisons],
        "seed_groups": [
            asdict(group) | {"runs": [contents.runs[number].name for number in group.runs]} for group in contents.groups
        ],
        "settings": [asdict(setting) for setting in contents.settings],
        "outcomes": [asdict(setting) for setting in contents.outcomes],
        "cautions": [asdict(caution) for caution in contents.cautions],
    }


def _comparison(contents: CompareContents, one: Comparison) -> dict[str, Any]:
    return {
        "run": contents.runs[one.run].name,
        "in_words": [
            headline(contents, one),
            luck_sentence(contents, one),
            letters_sentence(one),
            counts_sentence(one),
        ],
        "differs_in_seed_only": one.differs_in_seed_only,
        "words": _measured(one.words),
        "characters": _measured(one.characters),
        "num_better": one.count("better"),
        "num_worse": one.count("worse"),
        "num_equal": one.count("equal"),
        "speakers": [
            {
                "name": speaker.name,
                "num_utterances": speaker.num_utterances,
                "num_better": speaker.num_better,
                "num_worse": speaker.num_worse,
                "words": _difference(speaker.words),
            }
            for speaker in one.speakers
        ],
        "kinds": [asdict(kind) for kind in one.kinds],
        "letters": [asdict(letter) for letter in one.letters],
    }


def _measured(measured: Measured) -> dict[str, Any]:
    return _difference(measured.difference) | {
        "verdict": measured.verdict,
        "luck_by_redrawing_corrected": measured.luck_by_redrawing,
        "luck_by_swapping_corrected": measured.luck_by_swapping,
    }


def _difference(difference: PairedDifference) -> dict[str, Any]:
    found = asdict(difference) | {"rate_before": difference.rate_before, "rate": difference.rate}
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in found.items()
    }
