"""Run folders, whatever is trained in them: run.json says what the run is and how it stands.

runs/<name>/recipe.toml       the recipe, resolved
runs/<name>/run.json          what was started, with what, and how far it came
runs/<name>/metrics.jsonl     one event a line
runs/<name>/checkpoints/      last/ to go on from, best/ to use
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

import torch

from lowres import __version__
from lowres.backbones.checkpoint_folder import TRAINING_STATE_FILE, read_checkpoint
from lowres.errors import ON_NONSENSE, CheckpointError, RecipeError
from lowres.training.checkpoint import SavedTraining, State, load_training_state
from lowres.training.monitors import MetricsFile
from lowres.training.precision import Compute
from lowres.training.pretrain_settings import PretrainSettings
from lowres.training.settings import FinetuneSettings

RUN_FILE: Final = "run.json"
RECIPE_FILE: Final = "recipe.toml"
METRICS_FILE: Final = "metrics.jsonl"
Settings = TypeVar("Settings", FinetuneSettings, PretrainSettings)


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def last(self) -> Path:
        """Checkpoint to go on from."""
        return self.path / "checkpoints" / "last"

    @property
    def best(self) -> Path:
        """Checkpoint that was best on dev."""
        return self.path / "checkpoints" / "best"

    @property
    def metrics(self) -> MetricsFile:
        """The metrics file."""
        return MetricsFile(self.path / METRICS_FILE)


def put_over(settings: Settings, *, seed: int, minutes: float | None) -> Settings:
    """Put what the command line says over what the recipe says.

    Raises:
        RecipeError: it is a number that no run could use.
    """
    try:
        return replace(settings, seed=seed, minutes=minutes)
    except ValueError as error:
        raise RecipeError(f"Nothing can be trained with these options: {error}.", "Give another number.") from error


def describe_machine(compute: Compute) -> dict[str, Any]:
    """Return what the figures of a run depend on: processor, threads, precision and versions; no paths or names."""
    return {
        "device": torch.cuda.get_device_name() if compute.device == "cuda" else "cpu",
        "precision": compute.precision,
        "threads": torch.get_num_threads(),
        "processors": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "safetensors")},
    }


def write_record(folder: RunFolder, record: Any) -> None:
    """Write run.json, whole or not at all.

    Args:
        folder: the run's; made if it is not there.
        record: a dataclass of plain data.

    Raises:
        OSError: the disk is full or refuses.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    writing = folder.path / f".{RUN_FILE}.writing"
    with writing.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(asdict(record), ensure_ascii=False, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    writing.replace(folder.path / RUN_FILE)


def read_record_data(
    folder: RunFolder,
    names: Collection[str],
    format_version: int,
    upgrades: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Read run.json.

    Args:
        folder: the run's.
        names: the fields that a record of this kind has, all of them and no others.
        format_version: the version that is understood.
        upgrades: from an older version to the function that turns its data into the next version's.

    Raises:
        CheckpointError: it is missing, damaged, of an unknown version or of another kind of run.
    """
    path = folder.path / RUN_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version_found = found["format_version"]
        while (upgrade := upgrades.get(found["format_version"])) is not None:
            found = upgrade(found)
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no run in {folder.path}.", "Start one without --resume.") from error
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(f"{path} is damaged.", "Start a run of another name with --run NAME.") from error
    if found["format_version"] != format_version or set(found) != set(names):
        raise CheckpointError(
            f"{path} has format version {version_found}, which lowres {__version__} does not know, or is another "
            "stage's run.",
            "Go on with the lowres version that wrote it, or start a run of another name with --run NAME.",
        )
    return dict(found)


def load_saved(
    folder: RunFolder, run_sha256: str, rebuild: Callable[[dict[str, Any]], State]
) -> tuple[SavedTraining[State], dict[str, torch.Tensor]] | None:
    """Read the checkpoint to go on from, with its weights; None when the run was killed before its first.

    Args:
        folder: the run's.
        run_sha256: hash of what the killed run and this one must share.
        rebuild: makes the state of training of plain data.

    Raises:
        CheckpointError: it is damaged, or belongs to another run.
    """
    last = folder.last
    if not last.exists() and not last.with_name(f".{last.name}.previous").exists():
        return None
    checkpoint = read_checkpoint(last)
    saved = load_training_state(checkpoint.folder / TRAINING_STATE_FILE, rebuild)
    if saved.run_sha256 != run_sha256:
        raise CheckpointError(
            f"{last} belongs to another run than {folder.path / RUN_FILE} describes.",
            "Restore the run folder from a copy, or start a run of another name with --run NAME.",
        )
    return saved, checkpoint.weights


def hash_of_fields(record: object, names: Iterable[str]) -> str:
    """Return the sha256 (hex) of some fields of a record: of what a resumed run must share with the killed one."""
    same = {name: getattr(record, name) for name in names}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode("utf-8")).hexdigest()


def check_same_fields(recorded: object, now: object, names: Mapping[str, str], folder: RunFolder) -> None:
    """Refuse to go on with a run of which something has changed.

    Args:
        recorded, now: two records.
        names: the fields that must not differ, each with what people call it.
        folder: the run's.

    Raises:
        CheckpointError: naming the first thing that differs.
    """
    for name, what in names.items():
        before, after = getattr(recorded, name), getattr(now, name)
        if before != after:
            detail = _first_difference(before, after) if isinstance(before, Mapping) else ""
            raise CheckpointError(f"{what.capitalize()} of {folder.path} changed since it was started{detail}.", UNDO)


UNDO: Final = "Undo the change to go on, or start a run of another name with --run NAME."


def _first_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    for name in before:
        if before[name] != after.get(name):
            return f": {name} was {before[name]} and is now {after.get(name)}"
    return ""


def name_is_no_path(name: str) -> str:
    """Return a run's name if it is one.

    Raises:
        CheckpointError: it would lead out of the runs folder.
    """
    if not name or Path(name).name != name or name in (".", ".."):
        raise CheckpointError(f"--run {name}: a run's name is not a path.", "Use letters, digits and -.")
    return name
