"""A made-up fine-tuning run, with the fields that a real one writes and numbers of a plausible course."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOURS_PER_UPDATE = 0.02
EXAMPLES = [["wáa dzé", "wa dze"], ["mwána ya", "mwana"]]


def make_record(**changes: Any) -> dict[str, Any]:
    """Return a run.json."""
    return {
        "name": "finetune-1h-seed1",
        "status": "finished",
        "settings": {"seed": 1, "learning_rate": 1e-3, "updates": 400},
        "model_config": {"width": 256},
        "corpus_name": "mboshi",
        "hours": 1.0,
        "num_utterances": 1_140,
        "num_dev_utterances": 120,
        "num_parameters": 5_200_000,
        "backbone": "lowres-small",
        "backbone_licence": "Apache-2.0",
        "machine": {"device": "cpu", "threads": 2},
        "is_synthetic": False,
        "seed_used": 1,
        "updates": 400,
        "hours_processed": 8.0,
        "wall_seconds": 700.0,
        "warnings": [],
    } | changes


def make_step(step: int, **changes: Any) -> dict[str, Any]:
    """Return one step report."""
    return {
        "event": "step",
        "step": step,
        "attempt": 1,
        "progress": step / 400,
        "total_updates": 400,
        "learning_rate": 1e-3 * min(step / 40, 1.0),
        "loss": 0.5 + 3.5 * math.exp(-step / 100),
        "gradient_norm": 1.5,
        "blank_share": 0.7,
        "distinct_tokens": 30,
        "infinite_losses": 0,
        "hours_processed": step * HOURS_PER_UPDATE,
        "hours_per_hour": 20.0,
        "waited_share": 0.01,
        "elapsed_seconds": step * 1.7,
        "is_head_only": False,
    } | changes


def make_evaluation(step: int, error_rate: float, **changes: Any) -> dict[str, Any]:
    """Return one evaluation of dev."""
    return {
        "event": "evaluation",
        "step": step,
        "attempt": 1,
        "progress": step / 400,
        "train_loss": 1.0,
        "dev_character_error_rate": error_rate,
        "dev_word_error_rate": min(2 * error_rate, 1.0),
        "blank_share": 0.65,
        "distinct_tokens": 31,
        "is_best": False,
        "examples": EXAMPLES,
        "seconds": 2.0,
        "elapsed_seconds": step * 1.7,
    } | changes


def make_events(error_rates: Sequence[float], **changes: Any) -> list[dict[str, Any]]:
    """Return a run with a report every 10 updates and an evaluation every 40, whose error rates are given."""
    events = [make_step(step, **changes) for step in range(10, 40 * len(error_rates) + 1, 10)]
    best = 2.0
    for number, rate in enumerate(error_rates, start=1):
        events.append(make_evaluation(40 * number, rate, is_best=rate < best, **changes))
        best = min(best, rate)
    return sorted(events, key=lambda event: event["step"])


def write_run(folder: Path, events: Sequence[dict[str, Any]], *, tail: str = "", **changes: Any) -> Path:
    """Write run.json and metrics.jsonl with every character escaped; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(make_record(**changes)), encoding="utf-8")
    lines = "".join(json.dumps(event) + "\n" for event in events)
    (folder / "metrics.jsonl").write_text(lines + tail, encoding="utf-8")
    return folder
