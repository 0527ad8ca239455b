"""A made-up pretraining run, with the fields that a real one writes and seeded numbers of a plausible course."""

import json
import math
import random
from pathlib import Path
from typing import Any

NUM_DISTRACTORS = 100
NUM_ENTRIES = 320
LANGUAGES = [
    {"language": "Yoruba", "corpus": "slr86", "hours": 3.4, "num_utterances": 2_960, "share": 0.31},
    {"language": "Xhosa", "corpus": "nchlt", "hours": 1.9, "num_utterances": 1_480, "share": 0.14},
    {"language": "Xhosa", "corpus": "lwazi", "hours": 0.6, "num_utterances": 700, "share": 0.09},
    {"language": "Fongbe", "corpus": "alffa", "hours": 4.8, "num_utterances": 7_990, "share": 0.37},
    {"language": "Wolof <b>&", "corpus": "alffa", "hours": 0.4, "num_utterances": 410, "share": 0.09},
]
TERMS = {"slr86": {"licence": "CC BY-SA 4.0", "consent": "Paid readers, for any use."}, "lwazi": {"licence": ""}}
HOURS_PER_UPDATE = 0.04


def make_record(**changes: Any) -> dict[str, Any]:
    """Return a run.json."""
    return {
        "name": "pretrain-xs-seed1",
        "status": "training",
        "languages": [{**row, **TERMS.get(row["corpus"], {})} for row in LANGUAGES],
        "num_parameters": 6_912_345,
        "hours_per_update": HOURS_PER_UPDATE,
        "settings": {"learning_rate": 5e-4, "updates": 4_000, "weights": {"diversity": 0.1, "latent_penalty": 10.0}},
        "model_config": {"width": 256, "num_layers": 6, "conv_strides": [5, 2, 2, 2, 2, 2, 2]},
        "quantizer_config": {"num_codebooks": 2, "num_entries": NUM_ENTRIES},
        "machine": {"device": "cpu", "precision": "bf16", "threads": 2},
        "num_distractors": NUM_DISTRACTORS,
        "num_processes": 1,
        "recipe_name": "xs",
        "recipe_sha256": "0123abcd",
        "hours": 11.1,
        "held_out_seconds": {"Yoruba": 600.0, "Xhosa": 600.0, "Fongbe": 600.0, "Wolof <b>&": 300.0},
        "is_synthetic": False,
        "updates": 2_000,
        "hours_processed": 80.0,
        "wall_seconds": 9_400.0,
        "warnings": [],
    } | changes


def make_step(step: int, *, learns: bool = True, seed: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one step report; `learns` or collapses to one code."""
    draw = random.Random(seed * 1_000_003 + step)
    course = 1 - math.exp(-step / 900)
    hours = step * HOURS_PER_UPDATE
    loss = 4.615 - 2.0 * course + draw.gauss(0, 0.06) if learns else 4.6 + draw.gauss(0, 0.01)
    perplexity = [60 + 170 * course + draw.gauss(0, 3), 55 + 150 * course + draw.gauss(0, 3)]
    if not learns:
        perplexity = [1.0 + 60 * math.exp(-step / 200)] * 2
    used = 0.3 + 0.52 * course + draw.gauss(0, 0.01) if learns else max(2 / 640, 0.4 * math.exp(-step / 200))
    spike = 14.0 if draw.random() < 0.01 else 0.0
    return {
        "event": "step",
        "step": step,
        "attempt": 1,
        "progress": step / 4_000,
        "total_updates": 4_000,
        "learning_rate": 5e-4 * min(step / 320, (4_000 - step) / 3_680),
        "gumbel_temperature": max(2.0 * 0.9995**step, 0.5),
        "loss": loss + 0.1,
        "contrastive_loss": loss,
        "diversity_loss": 1 - sum(perplexity) / (2 * NUM_ENTRIES),
        "latent_penalty": 0.4 + 3 * math.exp(-step / 150) + draw.gauss(0, 0.01),
        "contrastive_accuracy": max(0.0099 + (0.36 * course + draw.gauss(0, 0.012) if learns else 0.001), 0.0),
        "code_perplexity": [value + 0.3 * (NUM_ENTRIES - value) for value in perplexity],
        "chosen_perplexity": perplexity,
        "used_codes_share": used,
        "latent_similarity": 0.22 + 0.5 * math.exp(-step / 250) if learns else 0.99,
        "gradient_norm": 0.9 + 2.2 * math.exp(-step / 100) + abs(draw.gauss(0, 0.1)) + spike,
        "masked_frames": 3_300,
        "left_out": 1 if step % 500 == 0 else 0,
        "hours_processed": hours,
        "hours_per_hour": 31 + draw.gauss(0, 1.2),
        "waited_share": abs(draw.gauss(0.004, 0.004)),
        "elapsed_seconds": step * 4.7,
        "hours_per_language": {
            "Yoruba": 0.312 * hours,
            "Xhosa": 0.229 * hours,
            "Fongbe": 0.368 * hours,
            "Wolof <b>&": 0.091 * hours,
        },
    } | changes


def make_evaluation(step: int, *, learns: bool = True, **changes: Any) -> dict[str, Any]:
    """Return one evaluation of held-out speech."""
    report = make_step(step, learns=learns, seed=2)
    held_out = {}
    for index, language in enumerate(report["hours_per_language"]):
        held_out[language] = {
            "contrastive_loss": report["contrastive_loss"] + 0.07 * index,
            "contrastive_accuracy": max(report["contrastive_accuracy"] - 0.012 * index, 0.009),
            "num_frames": 14_000 + 1_000 * index,
        }
    return {
        "event": "evaluation",
        "step": step,
        "attempt": 1,
        "progress": step / 4_000,
        "held_out": held_out,
        "contrastive_loss": sum(row["contrastive_loss"] for row in held_out.values()) / len(held_out),
        "contrastive_accuracy": sum(row["contrastive_accuracy"] for row in held_out.values()) / len(held_out),
        "code_perplexity": [max(0.93 * value, 1.0) for value in report["chosen_perplexity"]],
        "used_codes_share": 0.95 * report["used_codes_share"],
        "latent_similarity": report["latent_similarity"],
        "is_best": True,
        "seconds": 21.0,
        "hours_processed": report["hours_processed"],
        "elapsed_seconds": step * 4.7,
    } | changes


def make_events(updates: int = 2_000, *, learns: bool = True) -> list[dict[str, Any]]:
    """Return the events of a run that has made so many updates: a report every 5, an evaluation every 100."""
    events: list[dict[str, Any]] = [
        {"event": "plan", "step": 20, "attempt": 1, "progress": 0.005, "total_updates": 4_000, "elapsed_seconds": 94.0}
    ]
    for step in range(5, updates + 1, 5):
        events.append(make_step(step, learns=learns))
        if step % 100 == 0:
            events.append(make_evaluation(step, learns=learns))
        if step == 500:
            sentence = "one utterance was damaged and is left out: wolof/<0042>"
            events.append({"event": "notice", "step": 500, "attempt": 1, "sentence": sentence})
    return events


def write_run(folder: Path, events: list[dict[str, Any]], *, tail: str = "", **changes: Any) -> Path:
    """Write a run folder and return it; `tail` follows the last whole line of metrics.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(make_record(**changes), ensure_ascii=False), encoding="utf-8")
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    (folder / "metrics.jsonl").write_text(lines + tail, encoding="utf-8")
    return folder
