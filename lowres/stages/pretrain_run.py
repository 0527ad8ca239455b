"""The record of a pretraining run; a resumed run must still be the same run."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from lowres import __version__
from lowres.stages.run_folder import RunFolder, check_same_fields, hash_of_fields, read_record_data

PRETRAIN_FORMAT_VERSION: Final = 1

PretrainStatus = Literal["training", "finished", "collapsed"]


@dataclass(frozen=True, kw_only=True)
class PretrainRecord:
    """The contents of run.json."""

    name: str
    settings: dict[str, Any]
    """`PretrainSettings` with every value filled in."""

    model_config: dict[str, Any]
    quantizer_config: dict[str, Any]
    recipe_name: str
    recipe_sha256: str
    languages: list[dict[str, Any]]
    """One entry a source: language, corpus, hours, num_utterances, num_left_out, share aimed at, licence, consent,
    and the sha256 of the corpus's manifest; older runs say nothing of consent."""

    hours: float
    held_out_seconds: dict[str, float]
    is_synthetic: bool
    num_parameters: int
    hours_per_update: float
    """Hours of audio, over all processes, that an update learns from."""

    num_distractors: int
    num_processes: int
    backbone: str = ""
    backbone_sha256: str = ""
    backbone_licence: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    stage: Literal["pretrain"] = "pretrain"
    status: PretrainStatus = "training"
    updates: int = 0
    hours_processed: float = 0.0
    wall_seconds: float = 0.0
    best_step: int = 0
    best_contrastive_loss: float | None = None
    """On held-out speech, the mean over languages, in nats per masked frame."""

    best_contrastive_accuracy: float | None = None
    times_resumed: int = 0
    warnings: tuple[str, ...] = ()
    lowres_version: str = __version__
    format_version: int = PRETRAIN_FORMAT_VERSION

    @property
    def sha256(self) -> str:
        """Hash of what a resumed run must share with the killed one."""
        return hash_of_fields(_compared(self), SAME_WHEN_RESUMED)


SAME_WHEN_RESUMED: Final = {
    "languages": "the speech",
    "model_config": "the network",
    "quantizer_config": "the quantiser",
    "backbone_sha256": "the backbone",
    "settings": "the settings",
    "num_processes": "the number of processes",
}


def read_pretrain_record(folder: RunFolder) -> PretrainRecord:
    """Read run.json.

    Raises:
        CheckpointError: it is missing, damaged, of an unknown version or no pretraining's.
    """
    found = read_record_data(folder, {item.name for item in fields(PretrainRecord)}, PRETRAIN_FORMAT_VERSION)
    return PretrainRecord(**found | {"warnings": tuple(found["warnings"])})


def check_same_pretraining(recorded: PretrainRecord, now: PretrainRecord, folder: RunFolder) -> None:
    """Refuse to go on with a run whose speech, network or settings have changed.

    Raises:
        CheckpointError: naming the first thing that differs.
    """
    check_same_fields(_compared(recorded), _compared(now), SAME_WHEN_RESUMED, folder)


def _compared(record: PretrainRecord) -> PretrainRecord:
    """Return a record without what may be stated later, when training has begun: what the speakers agreed to."""
    languages = [{name: value for name, value in row.items() if name != "consent"} for row in record.languages]
    return replace(record, languages=languages)
