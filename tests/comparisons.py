"""Projects with runs and reports written by hand, for the tests of `lowres compare`: no network, no recordings."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lowres.recipe import parse_recipe
from lowres.report.compare_contents import CompareContents, ComparedText, ScoredRun
from lowres.report.compare_figures import compare_with_first
from lowres.scoring.alignment import align_characters, align_words
from lowres.scoring.bootstrap import interval_over_utterances
from lowres.stages.finetune_run import RunRecord
from lowres.stages.run_folder import RunFolder, write_record

RECIPE = """
name = "little"
[language]
name = "Little"
iso_639_3 = "mdw"
[text]
rules = ["nfc", "lowercase", "collapse_spaces"]
"""
SETTINGS: dict[str, Any] = {"backbone": "lowres-small", "adaptation": "full", "learning_rate": 0.001, "seed": 1}

REFERENCES = ["wáa dzé la mwána", "okwɛɛngɛ́ mbía", "bísi lekyéndɛ́ ya", "ngá a", "ómbósi adi yé", "la mwána"] * 5


def write_run(
    project: Path, name: str, *, recipe: str = RECIPE, settings: dict[str, Any] | None = None, **changes: Any
) -> Path:
    """Write a run folder without a network: run.json and recipe.toml."""
    settings = SETTINGS | (settings or {})
    values: dict[str, Any] = {
        "hours_asked": 1.0,
        "model_config": {"width": 8},
        "recipe_name": "little",
        "recipe_sha256": "00",
        "corpus_name": "little",
        "corpus_sha256": "c" * 64,
        "is_synthetic": False,
        "subset_label": "1h",
        "subset_sha256": "5" * 64,
        "num_utterances": 1140,
        "hours": 0.9993,
        "num_dev_utterances": 97,
        "vocabulary_sha256": "v" * 64,
        "vocabulary_size": 33,
        "num_parameters": 5_200_000,
        "backbone": settings["backbone"],
        "status": "finished",
        "seed_used": settings["seed"],
        "updates": 300,
        "hours_processed": 2.5,
        "best_dev_character_error_rate": 0.3,
        "best_dev_word_error_rate": 0.6,
    }
    folder = RunFolder(project / "runs" / name)
    write_record(folder, RunRecord(name=name, settings=settings, **(values | changes)))
    (folder.path / "recipe.toml").write_text(parse_recipe(recipe).to_toml(), encoding="utf-8")
    return folder.path


def write_report(
    project: Path,
    name: str,
    hypotheses: Sequence[str],
    *,
    split: str = "test",
    references: Sequence[str] = REFERENCES,
    utterance_ids: Sequence[str] = (),
    speakers: Sequence[str] = (),
    made_from: dict[str, str] | None = None,
) -> Path:
    """Write the report.json and utterances.tsv that `lowres evaluate` would, as far as a comparison reads them."""
    folder = project / "reports" / f"{name}-{split}"
    folder.mkdir(parents=True, exist_ok=True)
    words, characters = align_words(references, hypotheses), align_characters(references, hypotheses)
    with (folder / "utterances.tsv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        columns = "utterance_id speaker duration_seconds reference hypothesis word_errors num_words character_errors"
        writer.writerow([*columns.split(), "num_characters", "a later column"])
        for number, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
            utterance_id = utterance_ids[number] if utterance_ids else f"u{number:03d}"
            speaker = speakers[number] if speakers else ("ana", "ben")[number % 2]
            counts = [words[number].num_errors, words[number].num_reference]
            counts += [characters[number].num_errors, characters[number].num_reference]
            writer.writerow([utterance_id, speaker, "2.500", reference, hypothesis, *counts, ""])
    figures = {
        "schema_version": 1,
        "language": "Little",
        "corpus": "little",
        "synthetic": False,
        "run": name,
        "split": split,
        "num_utterances": len(references),
        "normalised": {
            "words": _rate(words),
            "characters": _rate(characters),
        },
        "made_from": made_from or {"Decoding": "greedy, without a language model"},
    }
    (folder / "report.json").write_text(json.dumps(figures), encoding="utf-8")
    return folder


def _rate(alignments: Sequence[Any]) -> dict[str, Any]:
    errors, lengths = [one.num_errors for one in alignments], [one.num_reference for one in alignments]
    interval = interval_over_utterances(errors, lengths)
    return {
        "error_rate": sum(errors) / sum(lengths),
        "over_utterances": interval and {"low": interval.low, "high": interval.high, "num_units": interval.num_units},
    }


def garble(references: Sequence[str], chance: float, seed: int = 1) -> list[str]:
    """Hear every word wrong with a chance, the last letter as x."""
    generator = np.random.default_rng(seed)
    return [
        " ".join(word[:-1] + "x" if generator.random() < chance else word for word in reference.split())
        for reference in references
    ]


def make_contents(
    references: Sequence[str], heard: dict[str, Sequence[str]], *, speakers: Sequence[str] = (), **changes: Any
) -> CompareContents:
    """Compare what runs heard; the first is the baseline."""
    number = len(references)
    text = ComparedText(
        utterance_ids=[f"u{i:03d}" for i in range(number)],
        speakers=speakers or [("ana", "ben")[i % 2] for i in range(number)],
        durations_seconds=[2.5] * number,
        references=references,
    )
    runs = [
        ScoredRun(
            name, lines, align_words(references, lines), align_characters(references, lines), f"../{i}/report.html"
        )
        for i, (name, lines) in enumerate(heard.items())
    ]
    values: dict[str, Any] = {
        "language": "Little",
        "language_code": "mdw",
        "corpus_name": "little",
        "split": "test",
        "synthetic": False,
        "groups": (),
        "settings": (),
        "outcomes": (),
        "cautions": (),
    }
    return CompareContents(
        text=text, runs=runs, comparisons=compare_with_first(text, runs, split=list), **(values | changes)
    )
