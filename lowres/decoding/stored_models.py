"""The language models that belong to a recogniser: `language_model/` in its checkpoint folder, with all that was tuned.

They lie beside the weights because their weights were chosen for what exactly these hear. `language_model.json` says
what they were made of; each model is an ARPA file, which every other program reads too.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lowres.decoding.beam_search import BeamModel, BeamSettings, ModelKind
from lowres.decoding.calibration import Calibration
from lowres.errors import ON_NONSENSE, CheckpointError
from lowres.text.vocabulary import Vocabulary

LANGUAGE_MODEL_FOLDER: Final = "language_model"
DESCRIPTION_FILE: Final = "language_model.json"
FORMAT_VERSION: Final = 1
KINDS: Final[tuple[ModelKind, ...]] = ("word", "character")
_AGAIN: Final = "Make it again with `lowres lm`."
_EXACTLY: Final = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class TextSource:
    """A text that went into the models.

    Attributes:
        name: "training transcripts", or the name of a file.
        sha256: of the file (hex); "" for transcripts, which the corpus vouches for.
        num_sentences: lines used. num_refused: lines left out because dev or test say the same.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY

    name: str
    sha256: str
    num_sentences: int
    num_refused: int = 0


@dataclass(frozen=True)
class DevRates:
    """Error rates on the part of dev that the weights were chosen on, 0-1 and above."""

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY

    word_error_rate: float
    character_error_rate: float


@dataclass(frozen=True)
class StoredModel:
    """One model and how to search with it.

    Attributes:
        kind: of words or of characters (labels).
        order: the longest n-gram. num_ngrams: how many of each order, from 1 up.
        sha256: of its ARPA file (hex).
        perplexity: of dev's transcripts, for each word or label. unknown_share: of dev's words it does not know, 0-1.
        num_unspellable: different words left out because the recogniser has no label for a letter of theirs.
        settings: the weights chosen on dev. dev: what they reach there.
        calibration: how sure to be of its words; None where dev was too small to say.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY

    kind: ModelKind
    order: int
    num_ngrams: tuple[int, ...]
    sha256: str
    perplexity: float
    unknown_share: float
    num_unspellable: int
    settings: BeamSettings
    dev: DevRates
    calibration: Calibration | None = None


@dataclass(frozen=True)
class StoredModels:
    """What `language_model/` holds.

    Attributes:
        vocabulary_hash: of the recogniser they were made for.
        sources: the texts. num_boosted: words that are expected more often than the texts say.
        models: one or two. greedy: what the same part of dev costs without any.
        greedy_calibration: how sure to be of words decoded without any.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _EXACTLY

    vocabulary_hash: str
    sources: tuple[TextSource, ...]
    num_boosted: int
    models: tuple[StoredModel, ...]
    greedy: DevRates
    greedy_calibration: Calibration | None = None

    @property
    def best(self) -> StoredModel:
        """The model with the lowest sum of word and character error rate on dev."""
        return min(self.models, key=lambda one: one.dev.word_error_rate + one.dev.character_error_rate)

    def find(self, kind: ModelKind) -> StoredModel | None:
        """Return the model of this kind, or None."""
        return next((one for one in self.models if one.kind == kind), None)


def arpa_path(folder: Path, kind: ModelKind) -> Path:
    """Return where the model of this kind lies in a `language_model/` folder."""
    return folder / f"{kind}.arpa"


def lexicon_path(folder: Path) -> Path:
    """Return where the words of the word model lie, one a line."""
    return folder / "words.txt"


def write_description(folder: Path, models: StoredModels) -> None:
    """Write `language_model.json` beside the models."""
    contents = {"format_version": FORMAT_VERSION, **asdict(models)}
    text = json.dumps(contents, ensure_ascii=False, indent=1)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8", newline="\n")


def has_models(checkpoint: Path) -> bool:
    """Whether a recogniser has language models."""
    return (checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE).is_file()


def read_description(checkpoint: Path, vocabulary: Vocabulary) -> StoredModels:
    """Read what language models a recogniser has.

    Args:
        checkpoint: the recogniser's folder.
        vocabulary: its vocabulary.

    Raises:
        CheckpointError: there is none, it is damaged, or was made for another vocabulary.
    """
    path = checkpoint / LANGUAGE_MODEL_FOLDER / DESCRIPTION_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"The recogniser in {checkpoint} has no language model.", "Make one with `lowres lm`."
        ) from error
    except (OSError, *ON_NONSENSE) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.", _AGAIN) from error
    version = data.get("format_version") if isinstance(data, dict) else None
    if isinstance(version, int) and version != FORMAT_VERSION:
        raise CheckpointError(f"{path} has format version {version}, and this lowres reads {FORMAT_VERSION}.", _AGAIN)
    try:
        models = _from_data(data)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {_first_line(error)}.", _AGAIN) from error
    if models.vocabulary_hash != vocabulary.hash:
        raise CheckpointError(f"The language model in {path.parent} was made for another vocabulary.", _AGAIN)
    return models


def open_model(checkpoint: Path, model: StoredModel, vocabulary: Vocabulary) -> BeamModel:
    """Return what a beam search needs of a stored model.

    Raises:
        CheckpointError: its file is missing or no longer the one that was made.
    """
    folder = checkpoint / LANGUAGE_MODEL_FOLDER
    arpa = arpa_path(folder, model.kind)
    if hash_file(arpa) != model.sha256:
        raise CheckpointError(f"{arpa} is not the file that was made.", _AGAIN)
    words: list[str] = []
    if model.kind == "word":
        try:
            words = lexicon_path(folder).read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{lexicon_path(folder)} cannot be read: {error}.", _AGAIN) from error
        if len(set(words)) < len(words):
            raise CheckpointError(f"{lexicon_path(folder)} holds a word twice.", _AGAIN)
    return beam_model(model.kind, arpa, vocabulary, words)


def beam_model(kind: ModelKind, arpa: Path, vocabulary: Vocabulary, words: list[str]) -> BeamModel:
    """Put a model's file together with how its words are spelled; words that cannot be spelled are left out.

    Args:
        kind: of the model. arpa: its file. vocabulary: of the recogniser.
        words: those of a word model that are to be recognised.
    """
    lexicon = tuple((word, tuple(vocabulary.encode(word))) for word in words if is_spellable(word, vocabulary))
    return BeamModel(kind, arpa, vocabulary.tokens, vocabulary.word_boundary_id, lexicon)


def is_spellable(word: str, vocabulary: Vocabulary) -> bool:
    """Whether the recogniser has labels for the whole of a word."""
    return bool(word) and not vocabulary.unknown_symbols(word)


def hash_file(path: Path) -> str:
    """Return the sha256 (hex) of a file; "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _from_data(data: object) -> StoredModels:
    if not isinstance(data, dict) or data.get("format_version") != FORMAT_VERSION:
        raise ValueError("no description of language models with a format version")
    contents = {name: value for name, value in data.items() if name != "format_version"}
    models = _DESCRIPTION.validate_json(json.dumps(contents), strict=True)
    if not models.models or len({model.kind for model in models.models}) < len(models.models):
        raise ValueError("no model, or two of one kind")
    return models


def _first_line(error: ValueError) -> str:
    """Say in a line what is wrong, and where."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


_DESCRIPTION: Final = TypeAdapter(StoredModels)
