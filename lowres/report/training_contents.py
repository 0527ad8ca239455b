"""What the page of a fine-tuning run says apart from its curves: numbers, cautions, tables, examples and facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lowres.report.contents import FEW_UTTERANCES, Caution
from lowres.report.run_charts import hours_text
from lowres.report.run_contents import EvaluationRow, Figure, decimals, machine_fact, rows_to_show
from lowres.report.run_log import Event, RunLog, list_of, mapping_of, number_of, step_of, text_of
from lowres.report.sentences import duration_text, percent
from lowres.report.terms import terms
from lowres.report.training_charts import best_evaluation
from lowres.report.training_verdict import Evidence
from lowres.text.audit_tally import counted

EVALUATED: Final = ("CER, dev", "WER, dev", "Training loss", "Blanks")
"""Heads of the table of evaluations."""


@dataclass(frozen=True)
class Example:
    """An utterance of dev, and what was heard in it at the first evaluation and at the best one."""

    reference: str
    at_first: str
    at_best: str


def evidence_of(log: RunLog) -> Evidence:
    """Gather what a verdict rests on."""
    curve = log.evaluation_curve("dev_character_error_rate")
    return Evidence(
        error_rates=[point.value for point in curve],
        updates=[point.step for point in curve],
        losses=[point.value for point in log.training_curve("loss")],
        status=log.status,
    )


def figures_of(log: RunLog) -> list[Figure]:
    """Return the numbers to read first, each with what to read it against."""
    found, best = [], best_evaluation(log)
    if best is not None:
        after = f"after {step_of(best):,} updates"
        characters, words = (number_of(best.get(f"dev_{of}_error_rate")) for of in ("character", "word"))
        found += [
            Figure("Letters wrong", percent(characters, 1), f"of dev, CER, at the best checkpoint, {after}."),
            Figure("Words wrong", percent(words, 1), "of dev, WER, at the same one."),
        ]
    losses = log.training_curve("loss")
    if losses:
        found.append(
            Figure("Training loss", f"{losses[-1].value:.2f}", f"nats per label, from {losses[0].value:.2f} at first.")
        )
    speeds = [point.value for point in log.training_curve("hours_per_hour")]
    if speeds:
        middle = sorted(speeds)[len(speeds) // 2]
        found.append(Figure("Speed", f"{middle:.1f}", "hours of audio learnt from per hour of work (median)."))
    return found


def cautions_of(log: RunLog) -> list[Caution]:
    """Return what to know before this run's figures are used, the run's own warnings included, each once."""
    found = []
    if log.record.get("is_synthetic") is True:
        found.append(Caution("synthetic speech", "A machine spoke these recordings, or some of them."))
    if log.status == "collapsed":
        found.append(Caution("collapsed", "All attempts collapsed; the checkpoint that was kept is of little use."))
    num_dev = number_of(log.record.get("num_dev_utterances"))
    if log.evaluations:
        found.append(
            Caution(
                "dev chose",
                "Dev chose the checkpoint, so its error rates flatter a little: quote those of an untouched test "
                "split, from lowres evaluate.",
                serious=False,
            )
        )
    if log.evaluations and num_dev is not None and num_dev < FEW_UTTERANCES:
        found.append(
            Caution(
                "small dev",
                f"Dev has {counted(round(num_dev), 'utterance')}: small differences are chance.",
                serious=False,
            )
        )
    return [*found, *(Caution("note", sentence, serious=False) for sentence in log.warnings)]


def evaluation_rows(log: RunLog) -> list[EvaluationRow]:
    """Return the table of evaluations; of very many, every n-th, the best one and the last."""
    numbers, best = rows_to_show(log.evaluations)
    return [_row(log, log.evaluations[number], number == best) for number in numbers]


def _row(log: RunLog, event: Event, is_best: bool) -> EvaluationRow:
    cells = (
        percent(number_of(event.get("dev_character_error_rate")), 1),
        percent(number_of(event.get("dev_word_error_rate")), 1),
        decimals(event.get("train_loss")),
        percent(number_of(event.get("blank_share")), 0),
    )
    return EvaluationRow(step_of(event), log.hours_of(event), is_best, cells)


def examples_of(log: RunLog) -> list[Example]:
    """Return the utterances that evaluations show, as they were heard at first and at best."""
    best = best_evaluation(log)
    if best is None:
        return []
    first = dict(_pairs(log.evaluations[0]))
    return [Example(reference, first.get(reference, ""), heard) for reference, heard in _pairs(best)]


def _pairs(event: Event) -> list[tuple[str, str]]:
    pairs = [list_of(pair) for pair in list_of(event.get("examples"))]
    return [(text_of(pair[0]), text_of(pair[1])) for pair in pairs if len(pair) == 2]


def terms_of(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the terms of the speech that a run learnt from, as names and values."""
    return terms(text_of(record.get("corpus_licence")), text_of(record.get("corpus_consent")))


def facts_of(log: RunLog) -> list[tuple[str, str]]:
    """Return how the run came about, as names and values in reading order; what is not known is left out."""
    record, latest = log.record, log.steps[-1] if log.steps else {}
    updates = number_of(record.get("updates")) or step_of(latest)
    processed = number_of(record.get("hours_processed")) or number_of(latest.get("hours_processed")) or 0.0
    seconds = number_of(record.get("wall_seconds")) or number_of(latest.get("elapsed_seconds"))
    parameters, hours = number_of(record.get("num_parameters")), number_of(record.get("hours"))
    labelled = number_of(record.get("pseudo_labelled_hours"))
    facts = [("Status", log.status or "not stated"), ("Corpus", text_of(record.get("corpus_name")) or "not stated")]
    facts += terms_of(record)
    if hours is not None:
        utterances = number_of(record.get("num_utterances"))
        of = f" in {utterances:,.0f} utterances" if utterances is not None else ""
        facts.append(("Transcribed speech", f"{hours_text(hours)}{of}"))
    if labelled:
        facts.append(("Heard by a teacher", f"{hours_text(labelled)}, by {text_of(record.get('teacher'))}"))
    facts.append(("Backbone", text_of(record.get("backbone")) or "none: trained from random weights"))
    facts.append(("Licence of the backbone", text_of(record.get("backbone_licence")) or "not stated"))
    facts.append(("Updates", f"{round(updates):,}"))
    facts.append(("Audio processed", hours_text(processed)))
    if seconds is not None:
        facts.append(("Time", duration_text(seconds)))
    if parameters is not None:
        facts.append(("Parameters", f"{parameters / 1e6:.1f} million"))
    seed = record.get("seed_used", mapping_of(record.get("settings")).get("seed"))
    facts.append(("Seed", text_of(seed) or "not stated"))
    return [*facts, *machine_fact(log)]
