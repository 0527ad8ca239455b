"""What was answered so far, in a small file inside the project, so that the walk can be left at any moment."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from lowres.errors import RecipeError
from lowres.manifest.whole_files import replace_file

ANSWERS_FILE: Final = Path(".lowres", "start.json")
"""Where in a project the answers are."""


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LanguageAnswer(_Plain):
    """As `[language]` of a recipe; all of it "" where the language is not known."""

    name: str = ""
    iso_639_3: str = ""
    glottocode: str = ""


class TextAnswer(_Plain):
    """The text rules, as a recipe writes them, and the suggestions that were turned down."""

    rules: tuple[Any, ...]
    declined: tuple[Any, ...] = ()


class SpeedAnswer(_Plain):
    """What a trial of one backbone measured; see `lowres.stages.start_trial`."""

    backbone: str
    hours_per_hour: float
    seconds: float
    updates: int
    million_parameters: float
    usual_hours: float


def find_speed(speeds: Sequence[SpeedAnswer] | None, backbone: str | None) -> SpeedAnswer | None:
    """Return what the trial of one backbone measured; None where it was not tried, or could not be."""
    return next((one for one in speeds or () if one.backbone == backbone), None)


class Answers(_Plain):
    """Everything answered so far; None is a question that was not asked yet.

    Attributes:
        recordings: their folder, from the project, or absolute.
        layout: values of [corpus.reader], as guessed from the names of the files.
        transcripts: more such values: the tiers, the table or the ending of the transcripts.
        speakers: more such values, about who speaks.
        language, text, alphabet, licence, consent: as in a recipe.
        splits: values of [splits], where they differ from the defaults.
        speeds: what the trials measured.
        backbone: what training starts from.
        minutes: time to train in.
        recipe_is_written: whether lowres.toml was written from all this; it is then left alone, whoever edits it.
    """

    format_version: Literal[1] = 1
    recordings: str | None = None
    layout: dict[str, Any] | None = None
    transcripts: dict[str, Any] | None = None
    speakers: dict[str, Any] | None = None
    language: LanguageAnswer | None = None
    text: TextAnswer | None = None
    alphabet: tuple[str, ...] | None = None
    licence: str | None = None
    consent: str | None = None
    splits: dict[str, Any] | None = None
    speeds: tuple[SpeedAnswer, ...] | None = None
    backbone: str | None = None
    minutes: float | None = None
    recipe_is_written: bool = False

    def updated(self, **values: Any) -> "Answers":
        """Return these answers with some of them changed."""
        return self.model_copy(update=values)


def read_answers(project: Path) -> Answers:
    """Read what was answered in a project so far; nothing, where nobody was asked yet.

    Raises:
        RecipeError: the file is damaged, or of another version of lowres.
    """
    path = project / ANSWERS_FILE
    try:
        return Answers.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Answers()
    except (OSError, ValidationError) as error:
        raise RecipeError(
            f"The answers of `lowres start` in {path} cannot be read.",
            "Delete that file to be asked again; nothing else is lost.",
        ) from error


def write_answers(project: Path, answers: Answers) -> None:
    """Write the answers, whole or not at all; what was not answered is left out.

    Raises:
        OSError: the disk is full or refuses.
    """
    replace_file(project / ANSWERS_FILE, [f"{answers.model_dump_json(indent=1, exclude_none=True)}\n".encode()])
