"""The record of a fine-tuning run; a resumed run must still be the same run."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from lowres import __version__
from lowres.errors import CheckpointError
from lowres.stages.finetune_pseudo_labels import PseudoLabels
from lowres.stages.finetune_speech import FinetuneSpeech
from lowres.stages.run_folder import (
    RUN_FILE,
    UNDO,
    RunFolder,
    check_same_fields,
    hash_of_fields,
    read_record_data,
)
from lowres.training.settings import FinetuneSettings

RUN_FORMAT_VERSION: Final = 3

RunStatus = Literal["training", "finished", "stopped early", "collapsed"]


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

    corpus_licence: str = ""
    corpus_consent: str = ""

    is_synthetic: bool
    subset_label: str
    subset_sha256: str
    num_utterances: int
    """Transcribed ones that are learnt from."""

    hours: float
    """Of them."""

    num_dev_utterances: int
    vocabulary_sha256: str
    vocabulary_size: int
    num_parameters: int
    backbone: str = ""
    backbone_sha256: str = ""
    backbone_licence: str = ""
    num_pseudo_labelled: int = 0
    """Pieces of other recordings that are learnt from with what a teacher heard in them."""

    pseudo_labelled_hours: float = 0.0
    pseudo_labels_sha256: str = ""
    teacher: str = ""
    """Name of the run that labelled them."""

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
        names = dict(_SAME_WHEN_RESUMED)
        if not self.pseudo_labels_sha256:  # as the runs of version 1 were hashed
            del names["pseudo_labels_sha256"]
        return hash_of_fields(self, names)


_SAME_WHEN_RESUMED: Final = {
    "corpus_sha256": "the prepared corpus",
    "subset_sha256": "the training utterances",
    "pseudo_labels_sha256": "the pseudo-labels",
    "vocabulary_sha256": "the vocabulary",
    "model_config": "the network",
    "backbone_sha256": "the backbone",
    "settings": "the settings",
}


def settings_to_record(settings: FinetuneSettings) -> dict[str, Any]:
    """Return the settings that training follows: all, but for the one that chose labels, which lie in the run."""
    data = asdict(settings)
    del data["self_train_share"]
    return data


def _add_pseudo_labels(found: dict[str, Any]) -> dict[str, Any]:
    """Upgrade from version 1, which knew no self-training."""
    new_fields = {"num_pseudo_labelled": 0, "pseudo_labelled_hours": 0.0, "pseudo_labels_sha256": "", "teacher": ""}
    return found | new_fields | {"format_version": 2}


def _add_terms(found: dict[str, Any]) -> dict[str, Any]:
    """Upgrade from version 2, which knew nothing of the terms under which the speech was given."""
    return found | {"corpus_licence": "", "corpus_consent": "", "format_version": 3}


_BEFORE_VOCABULARY: Final = ("corpus_sha256", "subset_sha256", "pseudo_labels_sha256")


def read_record(folder: RunFolder) -> RunRecord:
    """Read run.json; an old one goes through its upgrade function.

    Raises:
        CheckpointError: it is missing, damaged, of an unknown version or no fine-tuning's.
    """
    names = {item.name for item in fields(RunRecord)}
    found = read_record_data(folder, names, RUN_FORMAT_VERSION, upgrades={1: _add_pseudo_labels, 2: _add_terms})
    return RunRecord(**found | {"warnings": tuple(found["warnings"])})


def check_same_run(recorded: RunRecord, now: RunRecord, folder: RunFolder) -> None:
    """Refuse to go on with a run whose corpus, vocabulary, network or settings have changed.

    Raises:
        CheckpointError: naming the first thing that differs.
    """
    same = dict(_SAME_WHEN_RESUMED)
    before_vocabulary = [name for name in same if name in _BEFORE_VOCABULARY]
    check_same_fields(recorded, now, {name: same.pop(name) for name in before_vocabulary}, folder)
    before, after = recorded.vocabulary_sha256, now.vocabulary_sha256
    if before != after:
        raise CheckpointError(
            f"{folder.last} was trained with another vocabulary ({recorded.vocabulary_size} labels, "
            f"{before[:12]}) than the training text gives now ({now.vocabulary_size} labels, {after[:12]}).",
            UNDO,
        )
    check_same_fields(recorded, now, same, folder)


def record_of_speech(speech: FinetuneSpeech) -> dict[str, Any]:
    """Return the fields of a record that come from the speech."""
    return {
        "corpus_name": speech.info.name,
        "corpus_sha256": speech.info.manifest_sha256,
        "corpus_licence": speech.info.licence,
        "corpus_consent": speech.info.consent,
        "is_synthetic": speech.info.synthetic,
        "subset_label": speech.subset_label,
        "subset_sha256": speech.subset_sha256,
        "num_utterances": speech.num_transcribed,
        "hours": round(speech.transcribed_hours, 4),
        "num_dev_utterances": len(speech.dev.references) if speech.dev else 0,
        "vocabulary_sha256": speech.vocabulary.hash,
        "vocabulary_size": len(speech.vocabulary),
        **(_record_of_pseudo_labels(speech.pseudo_labels) if speech.pseudo_labels else {}),
    }


def _record_of_pseudo_labels(labels: PseudoLabels) -> dict[str, Any]:
    return {
        "num_pseudo_labelled": len(labels.kept),
        "pseudo_labelled_hours": round(labels.hours, 4),
        "pseudo_labels_sha256": labels.sha256,
        "teacher": labels.teacher,
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
