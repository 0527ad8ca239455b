"""Chooses among a recogniser's language models and opens the beam search with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lowres.decoding.beam_search import demand_flashlight
from lowres.decoding.beam_workers import BeamWorkers
from lowres.decoding.calibration import Calibration
from lowres.decoding.stored_models import StoredModel, StoredModels, has_models, open_model, read_description
from lowres.errors import CheckpointError, LowresError
from lowres.manifest.settings import DEV
from lowres.report.contents import Caution
from lowres.stages.listening import Search
from lowres.stages.machine import num_cores
from lowres.text.vocabulary import Vocabulary

LanguageModelChoice = Literal["auto", "none", "word", "character"]


@dataclass(frozen=True)
class OpenSearch:
    """How utterances are decoded: a search with its model, or greedily where both are None."""

    search: Search | None = None
    stored: StoredModel | None = None
    calibration: Calibration | None = None
    """How sure to be of each word; None where dev has not taught it."""

    notes: tuple[str, ...] = ()
    """Sentences on why it is not what somebody might expect."""

    def facts(self) -> list[tuple[str, str]]:
        """Give what a report says of it, as (name, value)."""
        if self.stored is None:
            return [("Decoding", "greedy, without a language model")]
        return [("Decoding", describe_search(self.stored))]


def describe_search(model: StoredModel) -> str:
    """Say in a line what is searched with."""
    settings = model.settings
    unit = "words" if model.kind == "word" else "labels, open vocabulary"
    bonus = f", {settings.word_bonus:g} for each word" if model.kind == "word" else ""
    return (
        f"beam search ({settings.beam_size}) with a {model.order}-gram of {unit}; weight "
        f"{settings.language_weight:g}{bonus}, {settings.blank_penalty:g} off the blank, chosen on dev"
    )


def caution_about_search(opened: OpenSearch, split: str) -> list[Caution]:
    """Warn where the scored split is the one that the weights of the search were chosen on."""
    if opened.stored is None or split != DEV:
        return []
    return [
        Caution(
            "tuned on dev",
            "The weights of the language model were chosen on dev too, so the figure is a little too good.",
        )
    ]


@contextmanager
def open_search(
    checkpoint: Path, vocabulary: Vocabulary, choice: LanguageModelChoice, *, num_workers: int | None = None
) -> Iterator[OpenSearch]:
    """Open the beam search for a `with`; "auto" falls back on greedy decoding with a note, the others never do.

    Args:
        checkpoint: the recogniser's folder.
        vocabulary: its vocabulary.
        choice: which of its models.
        num_workers: processes; None = one for each core.

    Raises:
        CheckpointError: the model that was asked for is not there, or damaged.
        LowresError: flashlight's text decoder is missing, and a model was asked for by name.
    """
    greedy = OpenSearch(calibration=_greedy_calibration(checkpoint, vocabulary))
    if choice == "none" or (choice == "auto" and not has_models(checkpoint)):
        yield greedy
        return
    try:
        demand_flashlight()
    except LowresError as error:
        if choice != "auto":
            raise
        yield replace(greedy, notes=(f"{error.message} Decoded greedily, without the language model.",))
        return
    stored = _choose(read_description(checkpoint, vocabulary), choice, checkpoint)
    with BeamWorkers(open_model(checkpoint, stored, vocabulary), num_workers or num_cores()) as workers:
        yield OpenSearch(Search(workers, stored.settings), stored, stored.calibration)


def _greedy_calibration(checkpoint: Path, vocabulary: Vocabulary) -> Calibration | None:
    """Return how sure to be of words decoded without a model; None where models, which came with it, are damaged."""
    try:
        return read_description(checkpoint, vocabulary).greedy_calibration
    except CheckpointError:
        return None


def _choose(models: StoredModels, choice: LanguageModelChoice, checkpoint: Path) -> StoredModel:
    found = models.best if choice not in ("word", "character") else models.find(choice)
    if found is None:
        raise CheckpointError(
            f"The recogniser in {checkpoint} has no {choice} model.", "Make both with `lowres lm`, or take the other."
        )
    return found
