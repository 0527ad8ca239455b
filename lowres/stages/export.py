"""`lowres export`: a trained recogniser for other programs, checked to be the same one."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from lowres import __version__
from lowres.backbones.cache import expand_home
from lowres.backbones.card_results import Result
from lowres.backbones.checkpoint_folder import Checkpoint, CheckpointMetadata, has_checkpoint, read_checkpoint
from lowres.backbones.export_backbone import write_backbone_folder
from lowres.backbones.export_onnx import write_onnx_file
from lowres.backbones.export_transformers import write_transformers_folder
from lowres.backbones.low_rank_merging import without_low_rank_updates
from lowres.backbones.model_card import Language, model_card
from lowres.backbones.native import Recognizer, load_recognizer
from lowres.errors import CheckpointError
from lowres.model.config import to_dict
from lowres.report.writing import write_file
from lowres.stages.backbone import find_backbone
from lowres.stages.evaluate_run import best_checkpoint, find_run
from lowres.stages.model_card import MODEL_CARD_FILE, language_of, results_of

ExportFormat = Literal["transformers", "onnx", "backbone"]


@dataclass(frozen=True)
class ExportResult:
    """What was written, from what, and what to know of it."""

    paths: tuple[Path, ...]
    """The folder, or the files."""

    checkpoint: Path
    run: Path | None
    """The run's folder, PROJECT/runs/NAME, if the checkpoint is the one of it that `lowres evaluate` measures."""

    metadata: CheckpointMetadata
    language: Language
    num_parameters: int
    num_bytes: int
    limits: tuple[str, ...]
    """Sentences that whoever uses it must know."""

    largest_difference: float | None
    """Between our log-probabilities and those of the program it is for, where that program was asked."""


def export(project: Path, source: str, target: Path, to: ExportFormat) -> ExportResult:
    """Write a trained recogniser for another program.

    Args:
        project: the project folder.
        source: a run's name, or the folder of a run or of a checkpoint.
        target: the folder (transformers, backbone) or file (onnx) to write.
        to: the program; "backbone" is lowres itself, for others to start from.

    Raises:
        CheckpointError: there is no such recogniser, it is damaged, the program has no such network, or `target` is of
            another kind, or exists and is anything but an ONNX file that is to be replaced.
        OSError: the disk is full or refuses.
    """
    _demand_target(target, to)
    checkpoint = find_checkpoint(project, source)
    if to == "backbone":
        return _export_backbone(project, checkpoint, target)
    home, run = _project_of(checkpoint) or project, _run_of(checkpoint)
    recognizer = load_recognizer(checkpoint, find_backbone=partial(find_backbone, home))
    language, results = language_of(checkpoint), _results_of(checkpoint, recognizer.metadata)
    paths: tuple[Path, ...]
    match to:
        case "transformers":
            limits = write_transformers_folder(recognizer, target, language, results=results)
            paths, difference = (target,), None
        case "onnx":
            file = write_onnx_file(recognizer, target, _facts(recognizer, language))
            card = target.with_name(f"{target.stem}-{MODEL_CARD_FILE}")
            write_file(card, model_card(recognizer.metadata, language, (), "onnx", results=results))
            limits, paths, difference = (), (*file.paths, card), file.largest_difference
    return ExportResult(
        paths=paths,
        checkpoint=checkpoint,
        run=run,
        metadata=recognizer.metadata,
        language=language,
        num_parameters=sum(parameter.numel() for parameter in recognizer.model.parameters()),
        num_bytes=sum(file.stat().st_size for path in paths for file in (path.iterdir() if path.is_dir() else [path])),
        limits=limits,
        largest_difference=difference,
    )


def _export_backbone(project: Path, folder: Path, target: Path) -> ExportResult:
    """Write a network for others to start from; unlike for the programs, it may be one that cannot write yet."""
    language, run = language_of(folder), _run_of(folder)
    checkpoint = _joined(read_checkpoint(folder), _project_of(folder) or project)
    write_backbone_folder(checkpoint, target, language, results=_results_of(folder, checkpoint.metadata))
    return ExportResult(
        paths=(target,),
        checkpoint=folder,
        run=run,
        metadata=checkpoint.metadata,
        language=language,
        num_parameters=sum(weight.numel() for weight in checkpoint.weights.values()),
        num_bytes=sum(file.stat().st_size for file in target.iterdir()),
        limits=(),
        largest_difference=None,
    )


def _joined(checkpoint: Checkpoint, home: Path) -> Checkpoint:
    """Return a whole network: what was trained on top of a backbone together with it, low-rank updates merged."""
    if not checkpoint.metadata.backbone_sha256:
        return checkpoint
    recognizer = load_recognizer(checkpoint.folder, find_backbone=partial(find_backbone, home))
    model = without_low_rank_updates(recognizer.model)
    config = to_dict(model.backbone.config)
    metadata = replace(checkpoint.metadata, model_config=config, backbone_reference="", backbone_sha256="")
    return Checkpoint(checkpoint.folder, metadata, model.state_dict())


def find_checkpoint(project: Path, source: str) -> Path:
    """Return the checkpoint folder that `source` names: one itself, the best of a run's folder, or of a run's name.

    Raises:
        CheckpointError: there is none; names the runs there are.
    """
    for folder in (expand_home(source), project / source, project / "runs" / source):
        for checkpoint in (folder, best_checkpoint(folder)):
            if has_checkpoint(checkpoint):
                return checkpoint
    if len(Path(source).parts) > 1:
        raise CheckpointError(
            f"There is no checkpoint in {source}.", "Name a run, its folder, or a folder that holds checkpoint.json."
        )
    return best_checkpoint(find_run(project, source))


def _demand_target(target: Path, to: ExportFormat) -> None:
    is_onnx = target.suffix == ".onnx"
    if to != "onnx" and is_onnx:
        raise CheckpointError(f"{target} would be a folder, with the name of an ONNX file.", "Add --to onnx.")
    if to == "onnx" and target.is_file() and not is_onnx:
        raise CheckpointError(f"{target} exists and is no ONNX file.", "Name a file that ends in .onnx.")


def _project_of(checkpoint: Path) -> Path | None:
    """Return the project that a run's checkpoint lies in, PROJECT/runs/NAME/checkpoints/best; None outside of one."""
    parents = checkpoint.resolve().parents
    return parents[3] if len(parents) > 3 and parents[2].name == "runs" else None


def _run_of(checkpoint: Path) -> Path | None:
    resolved = checkpoint.resolve()
    is_best = _project_of(checkpoint) is not None and resolved == best_checkpoint(resolved.parents[1])
    return resolved.parents[1] if is_best else None


def _results_of(checkpoint: Path, metadata: CheckpointMetadata) -> tuple[Result, ...]:
    """Gather what the reports of the checkpoint's project say of it."""
    project = _project_of(checkpoint)
    return () if project is None else results_of(project, checkpoint.resolve().parents[1].name, metadata)


def _facts(recognizer: Recognizer, language: Language) -> dict[str, str]:
    metadata = recognizer.metadata
    facts = {
        "language_name": language.name,
        "language": language.iso_639_3,
        "backbone": str(metadata.training.get("backbone") or ""),
        "backbone_licence": metadata.backbone_licence,
        "corpus_licence": str(metadata.training.get("corpus_licence") or ""),
        "corpus_consent": str(metadata.training.get("corpus_consent") or ""),
        "lowres_version": __version__,
    }
    return {name: fact for name, fact in facts.items() if fact}
