"""What the page of a pretraining run says apart from its curves: numbers, cautions, tables, facts and settings."""

from typing import Final

from lowres.report import pretraining_verdict as rules
from lowres.report.contents import Caution
from lowres.report.pretraining_charts import MOST_LANGUAGES
from lowres.report.pretraining_languages import HeldOutLanguage, TrainedLanguage
from lowres.report.pretraining_run import PretrainingRun
from lowres.report.pretraining_verdict import Evidence, Verdict, chance_accuracy
from lowres.report.run_charts import hours_text
from lowres.report.run_contents import EvaluationRow, Figure, decimals, machine_fact, rows_to_show
from lowres.report.run_log import list_of, mapping_of, number_of, step_of
from lowres.report.sentences import duration_text, percent
from lowres.report.terms import CONSENT
from lowres.text.audit_tally import listed

EVALUATED: Final = ("Loss", "Accuracy", "Codes used", "Perplexity")
"""Heads of the table of evaluations, before those of the languages."""


def evidence_of(run: PretrainingRun) -> Evidence:
    """Gather what a verdict rests on: the latest evaluation, and where there is none the latest report."""
    latest = run.log.evaluations[-1] if run.log.evaluations else run.log.steps[-1] if run.log.steps else {}
    reported = run.log.steps[-1] if run.log.steps else {}
    # A step report tells the perplexity of the mean softmax and that of the codes chosen; an evaluation the latter.
    perplexities = map(number_of, list_of(latest.get("chosen_perplexity")) or list_of(latest.get("code_perplexity")))
    return Evidence(
        accuracy=number_of(latest.get("contrastive_accuracy")),
        is_held_out=bool(run.log.evaluations),
        num_distractors=run.num_distractors,
        used_codes_share=number_of(latest.get("used_codes_share")),
        code_perplexity=tuple(value for value in perplexities if value is not None),
        latent_similarity=number_of(reported.get("latent_similarity")),
        held_out_losses=tuple(point.value for point in run.log.evaluation_curve("contrastive_loss")),
        has_collapsed=run.log.status == "collapsed",
    )


def figures_of(run: PretrainingRun, verdict: Verdict) -> list[Figure]:
    """Return the numbers that the verdict rests on, each with what to read it against."""
    evidence = evidence_of(run)
    where = "held-out speech" if evidence.is_held_out else "training speech"
    found = []
    if evidence.accuracy is not None:
        times = evidence.accuracy / chance_accuracy(run.num_distractors)
        found.append(
            Figure(
                "Right sound found",
                percent(evidence.accuracy, 1),
                f"of masked frames of {where}, among up to {run.num_distractors + 1} choices: {times:.1f} times as "
                f"often as guessing would ({percent(chance_accuracy(run.num_distractors))}).",
            )
        )
    if evidence.used_codes_share is not None:
        perplexities = " and ".join(f"{value:.0f}" for value in evidence.code_perplexity) or "not reported"
        found.append(
            Figure(
                "Codes used",
                percent(evidence.used_codes_share, 0 if evidence.used_codes_share >= 0.1 else 1),
                f"of {run.num_codebooks} × {run.num_entries} entries, on {where}. Perplexity {perplexities} of "
                f"{run.num_entries}.",
            )
        )
    losses = run.log.evaluation_curve("contrastive_loss")
    if losses:
        lowest = min(losses, key=lambda point: point.value)
        since = f"from {losses[0].value:.3f} at first" if len(losses) > 1 else "the first evaluation"
        found.append(
            Figure(
                "Held-out loss",
                f"{losses[-1].value:.3f}",
                f"nats per masked frame, {since}; lowest {lowest.value:.3f} after {lowest.step:,} updates"
                + ("." if verdict.trend == "unknown" else f"; now {verdict.trend}."),
            )
        )
    if evidence.latent_similarity is not None:
        found.append(
            Figure(
                "Similarity of targets",
                f"{evidence.latent_similarity:.2f}",
                f"mean cosine between different frames. From {rules.ALIKE:g} on, all sounds look the same to it.",
            )
        )
    return found


def cautions_of(run: PretrainingRun, verdict: Verdict, held_out: list[HeldOutLanguage]) -> list[Caution]:
    """Return what to know before this run is used or quoted, the run's own warnings included, each once."""
    found = []
    if run.log.record.get("is_synthetic") is True:
        found.append(Caution("synthetic speech", "A machine spoke these recordings, or some of them."))
    if verdict.has_collapsed:
        found.append(
            Caution(
                "collapsed",
                "What it learnt is of no use, and its contrastive accuracy means nothing. Try more audio in an update, "
                "a lower learning rate, or begin from a backbone.",
            )
        )
    similarity = evidence_of(run).latent_similarity
    if similarity is not None and similarity >= rules.ALIKE:
        found.append(
            Caution("targets alike", f"The targets of different frames are nearly the same (cosine {similarity:.2f}).")
        )
    unlearned = [language.name for language in held_out if language.is_guessed]
    if unlearned and verdict.learning == "learns":
        found.append(
            Caution(
                "some languages lag", f"Held-out speech is still little more than guessed in: {', '.join(unlearned)}."
            )
        )
    return [*found, *(Caution("note", sentence, serious=False) for sentence in run.log.warnings)]


def evaluation_rows(run: PretrainingRun) -> list[EvaluationRow]:
    """Return the table of evaluations; of very many, every n-th, the best ones and the last."""
    numbers, best = rows_to_show(run.log.evaluations)
    rows = []
    for number in numbers:
        event = run.log.evaluations[number]
        perplexities = [number_of(value) for value in list_of(event.get("code_perplexity"))]
        by_language = mapping_of(event.get("held_out"))
        losses = [
            mapping_of(by_language.get(language)).get("contrastive_loss")
            for language in run.held_out_languages[:MOST_LANGUAGES]
        ]
        cells = (
            decimals(event.get("contrastive_loss")),
            percent(number_of(event.get("contrastive_accuracy")), 1),
            percent(number_of(event.get("used_codes_share")), 0),
            " / ".join("–" if value is None else f"{value:.0f}" for value in perplexities) or "–",
            *map(decimals, losses),
        )
        rows.append(EvaluationRow(step_of(event), run.log.hours_of(event), number == best, cells))
    return rows


def facts_of(run: PretrainingRun, trained: list[TrainedLanguage]) -> list[tuple[str, str]]:
    """Return how the run came about, as names and values in reading order; what is not known is left out."""
    record, latest = run.log.record, run.log.steps[-1] if run.log.steps else {}
    updates = number_of(record.get("updates")) or step_of(latest)
    processed = number_of(record.get("hours_processed")) or number_of(latest.get("hours_processed")) or 0.0
    seconds = number_of(record.get("wall_seconds")) or number_of(latest.get("elapsed_seconds"))
    per_update, parameters = _hours_per_update(run), number_of(record.get("num_parameters"))
    left_out = sum(number_of(event.get("left_out")) or 0 for event in run.log.steps)
    facts = [
        ("Status", run.log.status or "not stated"),
        ("Updates", f"{round(updates):,}"),
        ("Audio processed", f"{hours_text(processed)}, of {hours_text(sum(row.hours for row in trained))} of speech"),
    ]
    if seconds is not None:
        facts.append(("Time", duration_text(seconds)))
    if per_update is not None:
        paper = per_update / rules.PAPER_HOURS_PER_UPDATE
        facts.append(
            ("Audio in one update", f"{hours_text(per_update)}, {paper:.2g} times the paper’s 1.6 h (section 4.2)")
        )
    if parameters is not None:
        facts.append(("Parameters", f"{parameters / 1e6:.1f} million"))
    facts.append(("Distractors (K)", str(run.num_distractors)))
    facts.append(("Codebooks", f"{run.num_codebooks} of {run.num_entries} entries"))
    if left_out:
        facts.append(("Crops left out", f"{round(left_out):,}, with fewer than two masked frames (in the reports)"))
    return [*facts, *machine_fact(run.log)]


def consents_of(run: PretrainingRun) -> list[tuple[str, str]]:
    """Return what the speakers agreed to, as names and values: each statement once, with the corpora it stands for."""
    corpora: dict[str, dict[str, None]] = {}
    for corpus in run.corpora:
        corpora.setdefault(corpus.consent or "not stated", {})[corpus.corpus or "(unnamed)"] = None
    if len(corpora) < 2:
        return [(CONSENT, statement) for statement in corpora]
    return [(CONSENT, f"{listed(list(names))}: {statement}") for statement, names in corpora.items()]


def _hours_per_update(run: PretrainingRun) -> float | None:
    return number_of(run.log.record.get("hours_per_update"))
