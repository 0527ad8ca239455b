"""What people read of a run once it ends: its page and its model card, beside its checkpoints."""

from dataclasses import dataclass
from pathlib import Path

from lowres.report.training import write_training_report
from lowres.stages.model_card import write_model_card


@dataclass(frozen=True)
class RunPages:
    """The files; `model_card` is None where no checkpoint was good enough to keep."""

    report: Path
    model_card: Path | None


def write_run_pages(project: Path, run: Path) -> RunPages:
    """Write report.html and model-card.md into a run's folder.

    Args:
        project: the project folder.
        run: the run's folder, with its run.json.

    Raises:
        LowresError: they cannot be written; the run itself is unharmed.
    """
    return RunPages(write_training_report(run), write_model_card(project, run))
