"""What a terminal shows while several runs are trained and measured one after the other."""

from types import TracebackType
from typing import TYPE_CHECKING

from lowres.cli.finetune_view import FinetuneView

if TYPE_CHECKING:
    from lowres.stages.finetune_again import SeriesEvent


class SeriesView:
    """Shows the events of several runs as `FinetuneView` shows one's; use it in a `with` block."""

    def __init__(self) -> None:
        self._view = FinetuneView()

    def __enter__(self) -> "SeriesView":
        self._view.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._view.__exit__(kind, error, traceback)

    def show(self, event: "SeriesEvent") -> None:
        """Take note of an event and show it."""
        # Imported here: by now torch is loaded, which `lowres --help` must not do.
        from lowres.stages.finetune_again import MeasureProgress, SeriesNotice
        from lowres.stages.finetune_self_train import SelfTrainProgress

        match event:
            case SeriesNotice():
                self.say(event.sentence)
            case MeasureProgress():
                task = f"{event.run}: listening to {event.split}"
                self._view.show(SelfTrainProgress(task, event.done_seconds, event.total_seconds))
            case _:
                self._view.show(event)

    def say(self, sentence: str) -> None:
        """Show one sentence of the command's own."""
        self._view.say(sentence)
