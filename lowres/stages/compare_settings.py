"""What differs between runs: the settings that were asked for, and what came of them."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lowres.errors import RecipeError
from lowres.recipe import Recipe
from lowres.recipe.load import parse_recipe
from lowres.report.compare_contents import Setting
from lowres.stages.finetune_run import RunRecord
from lowres.stages.run_folder import RECIPE_FILE, RunFolder

ENDED_WELL: Final = ("finished", "stopped early")
"""States of a run that made of its settings what it could."""

_NOT_SAID: Final = "–"
_SEED_KEYS: Final = ("finetune.seed",)
_NOT_TRAINED_WITH: Final = ("language_model", "evaluate", "description")
"""Sections that say what is done with a recogniser afterwards."""

_OUTCOMES: Final = {
    "subset_label": "training list",
    "hours": "hours of transcribed speech",
    "num_utterances": "utterances learnt from",
    "pseudo_labelled_hours": "hours labelled by a teacher",
    "teacher": "teacher",
    "corpus_sha256": "corpus (sha256 of the manifest)",
    "vocabulary_size": "labels",
    "backbone_sha256": "backbone (sha256)",
    "num_parameters": "parameters",
    "seed_used": "seed of the last attempt",
    "learning_rate_used": "learning rate of the last attempt",
    "updates": "updates made",
    "hours_processed": "hours of audio heard",
    "best_step": "best after update",
    "wall_seconds": "seconds of training",
    "status": "state",
    "lowres_version": "lowres version",
}
_SAME_SPEECH_AND_NETWORK: Final = (
    "corpus_sha256",
    "subset_sha256",
    "pseudo_labels_sha256",
    "vocabulary_sha256",
    "backbone_sha256",
    "model_config",
)
_DECODING: Final = ("Decoding", "Computed", "Corpus manifest", "Versions")
"""What a report says of how it was made, beside what it was trained from."""

_HASHES: Final = ("corpus_sha256", "backbone_sha256")
_SHOWN_OF_HASH: Final = 12


def read_recipe_of(folder: RunFolder) -> Recipe | None:
    """Return the recipe that a run was trained with; None where it is missing or this lowres cannot read it."""
    try:
        return parse_recipe((folder.path / RECIPE_FILE).read_text(encoding="utf-8"), place=str(folder.path))
    except (OSError, ValueError, RecipeError):
        return None


def asked_settings(folder: RunFolder, record: RunRecord) -> dict[str, str]:
    """Return everything a run was asked for, by dotted key: its recipe, with the [finetune] section as it was filled.

    A recipe that cannot be read leaves the [finetune] section alone.
    """
    try:
        data = tomllib.loads((folder.path / RECIPE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        data = {}
    found = {key: value for key, value in data.items() if key not in ("finetune", *_NOT_TRAINED_WITH)}
    flat = _flatten(found)
    flat |= {f"finetune.{key}": _write(value) for key, value in record.settings.items()}
    return flat | {"--hours": _NOT_SAID if record.hours_asked is None else f"{record.hours_asked:g}"}


def seed_group(folder: RunFolder, record: RunRecord) -> str:
    """Return what is the same for two runs that differ only in their seed, as a hash; "" of a run that has not ended.

    Machine and version do not count; corpus, speech, network, backbone and settings do.
    """
    if record.status not in ENDED_WELL:
        return ""
    asked = {key: value for key, value in asked_settings(folder, record).items() if key not in _SEED_KEYS}
    same: dict[str, Any] = {name: getattr(record, name) for name in _SAME_SPEECH_AND_NETWORK}
    content = json.dumps(same | {"asked": asked}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()


def differing_settings(runs: Sequence[tuple[RunFolder, RunRecord]]) -> list[Setting]:
    """List the settings that are not the same in all runs, with the value in each."""
    return _differing([asked_settings(folder, record) for folder, record in runs])


def differing_outcomes(records: Sequence[RunRecord], made_from: Sequence[Mapping[str, str]]) -> list[Setting]:
    """List what else is not the same: what was learnt from and how far, and how the reports were made.

    Args:
        records: one for each run.
        made_from: of each run's report, what it says of decoding and of what it was made from.
    """
    outcomes = [{what: _outcome(record, name) for name, what in _OUTCOMES.items()} for record in records]
    decoding = [{name: value for name, value in one.items() if name in _DECODING} for one in made_from]
    return [*_differing(outcomes), *_differing(decoding)]


def _outcome(record: RunRecord, name: str) -> str:
    value = getattr(record, name)
    if name in _HASHES:
        return str(value)[:_SHOWN_OF_HASH] or _NOT_SAID
    if isinstance(value, int):
        return f"{value:,}"
    return _write(value)


def _differing(values: Sequence[Mapping[str, str]]) -> list[Setting]:
    keys = list(dict.fromkeys(key for one in values for key in one))
    rows = [Setting(key, tuple(one.get(key, _NOT_SAID) for one in values)) for key in keys]
    return [row for row in rows if len(set(row.values)) > 1]


def _flatten(data: Mapping[str, Any], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = _write(value)
    return flat


def _write(value: object) -> str:
    match value:
        case None | "":
            return _NOT_SAID
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(_write(one) for one in value) or _NOT_SAID
        case dict():
            return ", ".join(f"{key} = {_write(one)}" for key, one in value.items())
    return str(value)
