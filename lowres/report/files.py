"""A report folder: report.html, report.json and utterances.tsv, written beside and then put in place together."""

import csv
import glob
import io
import math
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lowres.errors import LowresError
from lowres.manifest.table import BYTE_ORDER_MARK
from lowres.report.contents import ReportContents
from lowres.report.page import render_page
from lowres.report.recordings import RECORDINGS_FOLDER
from lowres.report.writing import DATA_FILE, PAGE_FILE, data_text
from lowres.scoring.alignment import SplitText
from lowres.scoring.bootstrap import CONFIDENCE, NUM_REPLICATES, Interval
from lowres.scoring.breakdowns import GroupScore
from lowres.scoring.confusions import Confusions, MarkErrors
from lowres.scoring.error_rates import ErrorCounts
from lowres.scoring.scorecard import Rate, Rates

REPORT_SCHEMA_VERSION = 2
TABLE_FILE = "utterances.tsv"
_OWN_FILE = re.compile(
    rf"{re.escape(PAGE_FILE)}|{re.escape(DATA_FILE)}|{re.escape(TABLE_FILE)}|"
    rf"{RECORDINGS_FOLDER}|{RECORDINGS_FOLDER}/[0-9]{{5,}}\.(mp3|wav)"
)
UTTERANCE_COLUMNS = (
    "utterance_id",
    "speaker",
    "duration_seconds",
    "reference",
    "hypothesis",
    "raw_reference",
    "word_errors",
    "num_words",
    "character_errors",
    "num_characters",
    "error_kinds",
)


def write_report(
    folder: Path,
    contents: ReportContents,
    *,
    split: SplitText,
    recordings: Mapping[int, str],
    write_beside: Callable[[Path], Mapping[int, str]] | None = None,
) -> dict[str, int]:
    """Write the three files; a report of that name is replaced only once the new one is whole.

    What people have put into its folder beside lowres's own files stays there.

    Args:
        folder: the report folder, e.g. reports/finetune-1h-seed1-test.
        contents: everything the report says.
        split: cuts a word into letters with their marks.
        recordings: data addresses by utterance number, as `embed_recordings` gives them.
        write_beside: writes other recordings into the folder it is given, and returns their addresses in it.

    Returns:
        The size in bytes of each file, by name.

    Raises:
        LowresError: where the folder cannot be written.
    """
    writing = folder.with_name(f".{folder.name}.writing-{os.getpid()}")
    try:
        recover_report(folder)
        writing.mkdir(parents=True)
        linked = write_beside(writing) if write_beside else {}
        sizes = {}
        for name, content in _files(contents, split, recordings, linked).items():
            data = content.encode("utf-8", "backslashreplace")
            (writing / name).write_bytes(data)
            sizes[name] = len(data)
        _swap(writing, folder)
    except OSError as error:
        raise LowresError(
            f"The report {folder} could not be written: {error.strerror or error}.",
            "Free some disk space or check the folder's permissions, then evaluate again.",
        ) from error
    finally:
        shutil.rmtree(writing, ignore_errors=True)
    return sizes


def _files(
    contents: ReportContents, split: SplitText, recordings: Mapping[int, str], linked: Mapping[int, str]
) -> dict[str, str]:
    return {
        PAGE_FILE: render_page(contents, split=split, recordings=recordings, linked=linked),
        DATA_FILE: data_text(report_json(contents)),
        TABLE_FILE: BYTE_ORDER_MARK + utterances_table(contents),
    }


def _swap(writing: Path, folder: Path) -> None:
    previous = folder.with_name(f".{folder.name}.previous-{os.getpid()}")
    try:
        if folder.exists():
            folder.rename(previous)
        writing.rename(folder)
    finally:
        recover_report(folder)


def recover_report(folder: Path) -> None:
    """Finish the exchange of a report that failed or was killed: put the earlier one back where no newer one is there.

    Where a newer one is, the earlier one's files are deleted, and whatever people had put among them is kept.

    Raises:
        OSError: the disk refused; nothing is lost, and the next call tries again.
    """
    for previous in sorted(folder.parent.glob(f".{glob.escape(folder.name)}.previous-*")):
        if not folder.exists():
            previous.rename(folder)
        elif _keep_what_people_added(previous, folder):
            shutil.rmtree(previous, ignore_errors=True)


def _keep_what_people_added(previous: Path, folder: Path) -> bool:
    """Move whatever is not lowres's own; False where something of that name is there already and it stays."""
    kept = True
    for path in [*previous.glob("*"), *previous.glob(f"{RECORDINGS_FOLDER}/*")]:
        name = path.relative_to(previous)
        if _OWN_FILE.fullmatch(name.as_posix()):
            continue
        target = folder / name
        if os.path.lexists(target):
            kept = False
            continue
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    return kept


def utterances_table(contents: ReportContents) -> str:
    """Return utterances.tsv: tab-separated, quoted where a field holds a tab, a quote or a line break."""
    text, card = contents.text, contents.scorecard
    memory = io.StringIO()
    writer = csv.writer(memory, delimiter="\t", lineterminator="\n")
    writer.writerow(UTTERANCE_COLUMNS)
    for i, utterance_id in enumerate(text.utterance_ids):
        words, characters = card.word_alignments[i], card.character_alignments[i]
        writer.writerow(
            (
                utterance_id,
                text.speakers[i],
                f"{text.durations_seconds[i]:.3f}",
                text.references[i],
                text.hypotheses[i],
                text.raw_references[i],
                words.num_errors,
                words.num_reference,
                characters.num_errors,
                characters.num_reference,
                "; ".join(f"{kind} {count}" for kind, count in card.error_kinds.by_utterance[i].items()),
            )
        )
    return memory.getvalue()


def report_json(contents: ReportContents) -> dict[str, Any]:
    """Return report.json: every number of the report, rates from 0 to 1 (null where there is none)."""
    card, text = contents.scorecard, contents.text
    return {
        "schema_version": REPORT_SCHEMA_VERSION,
        "language": contents.provenance.language,
        "corpus": contents.provenance.corpus_name,
        "synthetic": contents.provenance.synthetic,
        "run": contents.provenance.run_name,
        "split": contents.provenance.split,
        "num_utterances": len(text.utterance_ids),
        "duration_seconds": round(sum(text.durations_seconds), 3),
        "cautions": [asdict(caution) for caution in contents.cautions],
        "training_overlap": asdict(contents.split_facts.overlap),
        "num_excluded": contents.split_facts.num_excluded,
        "unwritable_symbols": contents.split_facts.unwritable,
        "text_rules": list(contents.provenance.text_rules),
        "intervals": {
            "confidence": CONFIDENCE,
            "num_replicates": NUM_REPLICATES,
            "method": "bootstrap, on each side the farther of the expanded percentile and Student's t",
        },
        "normalised": _rates(card.normalised),
        "raw": _rates(card.raw),
        "usefulness": None if contents.usefulness is None else asdict(contents.usefulness),
        "speakers": [_group(group) for group in card.speakers],
        "durations": [_group(group) for group in card.durations],
        "speaking_rates": [_group(group) for group in card.speaking_rates],
        "levels": [_group(group) for group in card.levels],
        "error_kinds": {
            one.kind: {"num_errors": one.num_errors, "examples": one.examples} for one in card.error_kinds.counts
        },
        "confusion_matrix": asdict(card.confusion_matrix),
        "grapheme_confusions": _confusions(card.grapheme_confusions),
        "word_confusions": _confusions(card.word_confusions),
        "mark_only_errors": {"words": _marks(card.word_marks), "graphemes": _marks(card.grapheme_marks)},
        "spacing_errors": asdict(card.spacing),
        "unseen_words": asdict(card.unseen_words)
        | {
            "seen_error_rate": card.unseen_words.seen_error_rate,
            "unseen_error_rate": card.unseen_words.unseen_error_rate,
        },
        "training_frequency": [asdict(band) | {"error_rate": band.error_rate} for band in card.training_frequency],
        "worst_utterances": [text.utterance_ids[index] for index in card.worst],
        "empty_references": [text.utterance_ids[index] for index in card.empty_references],
        "empty_hypotheses": [text.utterance_ids[index] for index in card.empty_hypotheses],
        "licence": contents.provenance.licence,
        "consent": contents.provenance.consent,
        "made_from": dict(contents.provenance.facts),
    }


def _counts(counts: ErrorCounts) -> dict[str, Any]:
    rate = counts.error_rate
    return {
        "error_rate": rate if math.isfinite(rate) else None,
        "num_errors": counts.num_errors,
        "num_reference": counts.num_reference,
        **asdict(counts),
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else asdict(interval)


def _rate(rate: Rate) -> dict[str, Any]:
    return _counts(rate.counts) | {
        "over_utterances": _interval(rate.over_utterances),
        "over_speakers": _interval(rate.over_speakers),
    }


def _rates(rates: Rates) -> dict[str, Any]:
    return {"words": _rate(rates.words), "characters": _rate(rates.characters)}


def _group(group: GroupScore) -> dict[str, Any]:
    return {
        "name": group.name,
        "num_utterances": group.num_utterances,
        "duration_seconds": round(group.duration_seconds, 3),
        "words": _counts(group.words),
        "characters": _counts(group.characters) | {"over_utterances": _interval(group.character_interval)},
    }


def _confusions(confusions: Confusions) -> dict[str, Any]:
    return asdict(confusions)


def _marks(marks: MarkErrors) -> dict[str, Any]:
    return asdict(marks) | {"share": marks.share}
