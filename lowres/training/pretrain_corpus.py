"""What a recipe says about one of the corpora to pretrain on: plain data. Imports no torch."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from pydantic import ConfigDict

_SPLITS = ("train", "dev", "test", "other")


@dataclass(frozen=True)
class PretrainCorpus:
    """One `[[pretrain.corpora]]` entry: a corpus to learn from, prepared here by its recipe or elsewhere already."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    recipe: str = ""
    """A shipped recipe's name, or a recipe's path from the project; `lowres prepare` prepares its corpus for this."""

    folder: str = ""
    """Instead: a prepared corpus (or a project that holds one), from the project folder."""

    name: str = ""
    """What to call it; "" takes the recipe's or the folder's own name."""

    language: str = ""
    """The language of everything in it; "" takes what the corpus says, or each utterance where there are several."""

    splits: tuple[str, ...] = ("train",)
    """Splits to learn from. Of dev some is held out to watch pretraining on, unless it is learnt from too."""

    set: tuple[str, ...] = ()
    """With `recipe`: values that are other for pretraining, each as `--set` takes them."""

    def __post_init__(self) -> None:
        """Refuse an entry that names no corpus or two, and splits there are not."""
        if bool(self.recipe) == bool(self.folder):
            raise ValueError('an entry of pretrain.corpora needs either recipe = "NAME" or folder = "PATH"')
        if self.folder and self.set:
            raise ValueError("set has no effect on a folder that is prepared already: put it beside a recipe")
        if not self.splits or not set(self.splits) <= set(_SPLITS):
            raise ValueError(f"splits is {list(self.splits)}: name at least one of {', '.join(_SPLITS)}")
        if self.name and (self.name in (".", "..") or PurePosixPath(self.name).name != self.name or "\\" in self.name):
            raise ValueError(f"name is {self.name!r}: it must not be a path")

    @property
    def called(self) -> str:
        """The name of the corpus: as given, else that of its recipe or its folder."""
        if self.name:
            return self.name
        if self.recipe:
            path = PurePosixPath(self.recipe.replace("\\", "/"))
            return path.stem if path.name != "lowres.toml" else path.parent.name
        path = PurePosixPath(self.folder.replace("\\", "/"))
        return path.parent.name if path.name == "corpus" and path.parent.name else path.name
