"""The errors a user can cause, each with a sentence saying what and where, and a hint saying what to do.

    LowresError
    ├── RecipeError       a recipe or an option on the command line
    ├── CorpusError       a folder, table or transcript that was given to us
    ├── AudioError        one recording that cannot be read
    ├── CheckpointError   weights, vocabularies and run folders
    └── TrainingError     training that cannot go on (NaN, collapse, not enough data)

One handler, in `lowres.cli.app`, prints them and exits with status 2. Anything else is a defect of ours and keeps
its traceback.
"""

from typing import Final

ON_NONSENSE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises where the contents of a file are not what they should be: no JSON, JSON nested too deeply, a value
of another kind, missing or infinite. Only for code that reads files which others wrote."""


def how_to_install(extra: str) -> str:
    """Return the hint for what an extra of lowres brings and is not there; lowres itself comes as a folder so far."""
    return f"In lowres's own folder, run `pip install '.[{extra}]'` (or `uv sync --inexact --extra {extra}`)."


class LowresError(Exception):
    """Something the user can put right.

    Args:
        message: one sentence that names the place (file, line, utterance) and what is wrong there.
        hint: one sentence that says what to do; empty when the message already does.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["LowresError"], tuple[str, str]]:
        # Worker processes hand errors back by pickling them; the default would lose the hint.
        return type(self), (self.message, self.hint)


class RecipeError(LowresError):
    """A recipe file, a `--set` override or a combination of options that cannot be used."""


class CorpusError(LowresError):
    """A corpus folder, table or transcript that cannot be used."""


class AudioError(LowresError):
    """A recording that cannot be decoded."""


class CheckpointError(LowresError):
    """A checkpoint, vocabulary or run folder that is missing, damaged or does not fit."""


class TrainingError(LowresError):
    """Training that cannot go on: not-a-number losses, collapse, or nothing to train on."""
