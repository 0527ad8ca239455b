"""The run folder: run.json says what the run is and how it stands; a resumed run must still be the same run.

runs/<name>/recipe.toml       the recipe, resolved
runs/<name>/run.json          what was started, with what, and how far it came
runs/<name>/metrics.jsonl     one event a line
runs/<name>/checkpoints/      last/ to go on from, best/ to use
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import torch

from lowres import __version__
from lowres.errors import CheckpointError
from lowres.stages.finetune_speech import FinetuneSpeech
from lowres.training.monitors import MetricsFile
from lowres.training.precision import Compute

RUN_FORMAT_VERSION: Final = 1
RUN_FILE: Final = "run.json"
RECIPE_FILE: Final = "recipe.toml"
METRICS_FILE: Final = "metrics.jsonl"

RunStatus = Literal["training", "finished", "stopped early", "collapsed"]


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


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The contents of run.json."""

    name: str
    hours_asked: float | None
    """`--hours`; None took all training speech."""

    settings: dict[str, Any]
    """`FinetuneSettings` with every value filled in."""

    model_config: dict[str, Any]
    recipe_name: str
    recipe_sha256: str
    corpus_name: str
    corpus_sha256: str
    """sha256 of the corpus's manifest."""

    is_synthetic: bool
    subset_label: str
    subset_sha256: str
    num_utterances: int
    hours: float
    num_dev_utterances: int
    vocabulary_sha256: str
    vocabulary_size: int
    num_parameters: int
    backbone: str = ""
    backbone_sha256: str = ""
    backbone_licence: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    status: RunStatus = "training"
    attempt: int = 1
    seed_used: int = 1
    learning_rate_used: float = 0.0
    updates: int = 0
    hours_processed: float = 0.0
    wall_seconds: float = 0.0
    best_step: int = 0
    best_attempt: int = 1
    best_dev_character_error_rate: float | None = None
    best_dev_word_error_rate: float | None = None
    times_resumed: int = 0
    warnings: tuple[str, ...] = ()
    lowres_version: str = __version__
    format_version: int = RUN_FORMAT_VERSION

    @property
    def sha256(self) -> str:
        """Hash of what a resumed run must share with the killed one."""
        same = {name: getattr(self, name) for name in _SAME_WHEN_RESUMED}
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode("utf-8")).hexdigest()


_SAME_WHEN_RESUMED: Final = {
    "corpus_sha256": "the prepared corpus",
    "subset_sha256": "the training utterances",
    "vocabulary_sha256": "the vocabulary",
    "model_config": "the network",
    "backbone_sha256": "the backbone",
    "settings": "the settings",
}


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


def write_record(folder: RunFolder, record: RunRecord) -> None:
    """Write run.json, whole or not at all.

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


def read_record(folder: RunFolder) -> RunRecord:
    """Read run.json.

    Raises:
        CheckpointError: it is missing, damaged or of an unknown version.
    """
    path = folder.path / RUN_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        version_found = found["format_version"]
    except FileNotFoundError as error:
        raise CheckpointError(f"There is no run in {folder.path}.", "Start one without --resume.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged.", "Start a run of another name with --run NAME.") from error
    if version_found != RUN_FORMAT_VERSION or set(found) != {item.name for item in fields(RunRecord)}:
        raise CheckpointError(
            f"{path} has format version {version_found}, which lowres {__version__} does not know.",
            "Go on with the lowres version that wrote it, or start a run of another name with --run NAME.",
        )
    return RunRecord(**found | {"warnings": tuple(found["warnings"])})


def check_same_run(recorded: RunRecord, now: RunRecord, folder: RunFolder) -> None:
    """Refuse to go on with a run whose corpus, vocabulary, network or settings have changed.

    Raises:
        CheckpointError: naming the first thing that differs.
    """
    hint = "Undo the change to go on, or start a run of another name with --run NAME."
    for name, what in _SAME_WHEN_RESUMED.items():
        before, after = getattr(recorded, name), getattr(now, name)
        if name == "vocabulary_sha256" and before != after:
            raise CheckpointError(
                f"{folder.last} was trained with another vocabulary ({recorded.vocabulary_size} labels, "
                f"{before[:12]}) than the training text gives now ({now.vocabulary_size} labels, {after[:12]}).",
                hint,
            )
        if before != after:
            detail = _first_difference(before, after) if isinstance(before, Mapping) else ""
            raise CheckpointError(f"{what.capitalize()} of {folder.path} changed since it was started{detail}.", hint)


def _first_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    for name in before:
        if before[name] != after.get(name):
            return f": {name} was {before[name]} and is now {after.get(name)}"
    return ""


def record_of_speech(speech: FinetuneSpeech) -> dict[str, Any]:
    """Return the fields of a record that come from the speech."""
    return {
        "corpus_name": speech.corpus.info.name,
        "corpus_sha256": speech.corpus.info.manifest_sha256,
        "is_synthetic": speech.corpus.info.synthetic,
        "subset_label": speech.subset_label,
        "subset_sha256": speech.subset_sha256,
        "num_utterances": len(speech.utterance_ids),
        "hours": round(speech.hours, 4),
        "num_dev_utterances": len(speech.dev.references) if speech.dev else 0,
        "vocabulary_sha256": speech.vocabulary.hash,
        "vocabulary_size": len(speech.vocabulary),
    }


def find_resumable(runs_folder: Path) -> list[str]:
    """List the runs that were started and not finished, the latest first."""
    found = []
    for path in runs_folder.glob(f"*/{RUN_FILE}"):
        try:
            record = read_record(RunFolder(path.parent))
        except CheckpointError:
            continue
        if record.status == "training":
            found.append((path.stat().st_mtime, path.parent.name))
    return [name for _, name in sorted(found, reverse=True)]
