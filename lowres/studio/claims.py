"""Which recordings a running studio will transcribe, so that another studio of the project does not think them lost."""

from contextlib import ExitStack, suppress
from pathlib import Path

from lowres.errors import CorpusError
from lowres.manifest.writing_alone import LOCK_FILE, writing_alone


class Claims:
    """The folders that this studio claims; the operating system lets go of them when it ends, however it ends."""

    def __init__(self) -> None:
        self._held: dict[Path, ExitStack] = {}

    def take(self, folder: Path) -> None:
        """Claim a folder; where its file system knows no locks, or refuses one, no other studio can tell."""
        stack = self._held[folder] = ExitStack()
        with suppress(CorpusError):
            stack.enter_context(writing_alone(folder, patience_seconds=0))

    def let_go(self, folder: Path) -> None:
        """Give a folder up, if it is claimed here."""
        if stack := self._held.pop(folder, None):
            stack.close()

    def let_all_go(self) -> None:
        """Give every folder up."""
        for folder in list(self._held):
            self.let_go(folder)

    def is_mine(self, folder: Path) -> bool:
        """Say whether a folder is claimed here."""
        return folder in self._held


def is_claimed(folder: Path) -> bool:
    """Say whether some studio that runs, this one or another, claims a folder."""
    if not (folder / LOCK_FILE).is_file():
        return False
    try:
        with writing_alone(folder, patience_seconds=0):
            return False
    except CorpusError:
        return True
