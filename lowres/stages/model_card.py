"""model-card.md of a run: written when training ends, and renewed with every evaluation of its best checkpoint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lowres.backbones.card_results import MeasuredRate, Result
from lowres.backbones.checkpoint_folder import WEIGHTS_FILE, CheckpointMetadata, has_checkpoint, read_metadata
from lowres.backbones.model_card import Language, model_card
from lowres.errors import ON_NONSENSE
from lowres.report.run_log import list_of, mapping_of, number_of, text_of
from lowres.report.writing import DATA_FILE, write_file
from lowres.stages.compare_settings import read_recipe_of
from lowres.stages.evaluate_run import best_checkpoint
from lowres.stages.run_folder import RunFolder

MODEL_CARD_FILE: Final = "model-card.md"
_SPLITS: Final = ("test", "dev")
"""The splits whose results come first, in this order."""


def write_model_card(project: Path, run: Path) -> Path | None:
    """Write a run's model card, with what the reports of the project say of its best checkpoint.

    Args:
        project: the project folder; its `reports/` are read.
        run: the run's folder.

    Returns:
        The file; None where the run has no best checkpoint yet.

    Raises:
        CheckpointError: checkpoint.json is damaged.
        LowresError: the file cannot be written.
    """
    best = best_checkpoint(run)
    if not has_checkpoint(best):
        return None
    metadata = read_metadata(best)
    results = results_of(project, run.name, metadata)
    path = run / MODEL_CARD_FILE
    write_file(path, model_card(metadata, language_of(best), (), "run", results=results))
    return path


def language_of(checkpoint: Path) -> Language:
    """Read whose language it is from the run's recipe; a checkpoint alone does not say.

    A recipe that is missing, or that this lowres cannot read, does not say either: the weights are as good without it.
    """
    recipe = read_recipe_of(RunFolder(checkpoint.resolve().parent.parent))
    return Language() if recipe is None else Language(recipe.language.name, recipe.language.iso_639_3)


def results_of(project: Path, run_name: str, metadata: CheckpointMetadata) -> tuple[Result, ...]:
    """Gather what was measured of these very weights: reports of an earlier checkpoint of the run do not count.

    Args:
        project: the project folder.
        run_name: as the reports name it.
        metadata: of the weights.
    """
    weights = metadata.files.get(WEIGHTS_FILE, "")
    found = []
    for path in sorted(project.glob(f"reports/*/{DATA_FILE}")):
        report = _read(path)
        if report.get("run") == run_name and weights and _weights_of(report) == weights[:16]:
            found.append(_result_of(report))
    order = {split: number for number, split in enumerate(_SPLITS)}
    return tuple(sorted(found, key=lambda result: (order.get(result.split, len(order)), result.split)))


def _read(path: Path) -> Mapping[str, Any]:
    """Read a report.json; one that is none, or is being replaced, says nothing."""
    try:
        return mapping_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, *ON_NONSENSE):
        return {}


def _weights_of(report: Mapping[str, Any]) -> str:
    return text_of(mapping_of(report.get("made_from")).get("Weights")).removeprefix("sha256 ")


def _result_of(report: Mapping[str, Any]) -> Result:
    rates = mapping_of(report.get("normalised"))
    speakers = [mapping_of(speaker) for speaker in list_of(report.get("speakers"))]
    named = [speaker for speaker in speakers if text_of(speaker.get("name"))]
    by_speaker = [number_of(mapping_of(speaker.get("characters")).get("error_rate")) for speaker in named]
    split = text_of(report.get("split"))
    cautions = [text_of(mapping_of(caution).get("sentence")) for caution in list_of(report.get("cautions"))]
    return Result(
        split=split,
        corpus=text_of(report.get("corpus")),
        num_utterances=round(number_of(report.get("num_utterances")) or 0),
        num_speakers=len(named),
        characters=_measured(mapping_of(rates.get("characters"))),
        words=_measured(mapping_of(rates.get("words"))),
        speaker_rates=tuple(rate for rate in by_speaker if rate is not None),
        cautions=tuple(caution for caution in cautions if caution),
    )


def _measured(rate: Mapping[str, Any]) -> MeasuredRate:
    """Read a rate with its interval over speakers, or over utterances where there is none."""
    for name in ("over_speakers", "over_utterances"):
        interval = mapping_of(rate.get(name))
        low, high = number_of(interval.get("low")), number_of(interval.get("high"))
        if low is not None and high is not None:
            units = number_of(interval.get("num_units")) if name == "over_speakers" else None
            return MeasuredRate(number_of(rate.get("error_rate")), low, high, None if units is None else round(units))
    return MeasuredRate(number_of(rate.get("error_rate")))
