"""The label set of a CTC recogniser: characters, graphemes or sentencepiece pieces, with the blank as id 0.

The blank and the word boundary are private-use characters, never printable letters, so that no orthography can collide
with them (FEATURES.md C5), and the file carries a version and a hash that every checkpoint repeats (C4).
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

from pydantic import ConfigDict

from lowres.errors import ON_NONSENSE, CheckpointError, CorpusError
from lowres.text.graphemes import check_graphemes, split_graphemes
from lowres.text.pieces import SPACE_PIECE, PieceModel, train_pieces

VocabularyKind = Literal["characters", "graphemes", "sentencepiece"]
PieceAlgorithm = Literal["unigram", "bpe"]

VOCABULARY_FORMAT_VERSION = 1
VOCABULARY_FILE = "vocabulary.json"
WORD_BOUNDARY = "\ue000"
BLANK = "\ue001"
BLANK_ID = 0
WORD_BOUNDARY_ID = 1
_RESERVED = {WORD_BOUNDARY: "the word boundary", BLANK: "the CTC blank"}


@dataclass(frozen=True)
class VocabularySettings:
    """The `[vocabulary]` section of a recipe."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: VocabularyKind = "characters"
    """What one label is. characters: one code point of the text as the rules leave it, so that after "nfd" each
    combining mark is a label of its own; graphemes: a letter with its marks, or a declared multigraph; sentencepiece:
    a frequent piece of a word, learnt from the training text."""

    size: int = 300
    """sentencepiece: the number of labels wanted, blank included; fewer where the text is too small for it."""

    algorithm: PieceAlgorithm = "unigram"
    """sentencepiece: how the pieces are learnt."""

    graphemes: tuple[str, ...] = ()
    """graphemes: the multigraphs, filled in from the recipe's `text.graphemes`."""

    def __post_init__(self) -> None:
        """Refuse what no vocabulary could be built from.

        Raises:
            ValueError: size below 8.
        """
        if self.size < 8:
            raise ValueError(f"size is {self.size}: a sentencepiece vocabulary needs at least 8 labels")


@dataclass(frozen=True)
class Vocabulary:
    """An ordered set of labels and the way from text to their ids and back.

    Raises:
        CheckpointError: duplicate labels, an empty label, or a blank that is not id 0.
    """

    kind: VocabularyKind
    tokens: tuple[str, ...]
    """Label of each id: `BLANK`, then `WORD_BOUNDARY` (characters and graphemes), then the rest in code point order."""
    graphemes: tuple[str, ...] = ()
    """Declared multigraphs, as `split_graphemes` takes them."""
    sentencepiece_model: bytes = field(default=b"", repr=False)

    blank_id: ClassVar[int] = BLANK_ID

    def __post_init__(self) -> None:
        """Check what every loader relies on."""
        doubled = [token for token, times in Counter(self.tokens).items() if times > 1]
        if doubled:
            raise CheckpointError(
                f"The vocabulary holds {doubled[0]!r} twice.",
                "Build it again: two ids for one label ruin a recogniser.",
            )
        if not self.tokens or self.tokens[BLANK_ID] != BLANK or "" in self.tokens:
            raise CheckpointError("The vocabulary has no blank at id 0, or an empty label.", "Build it again.")
        if (self.kind == "sentencepiece") != bool(self.sentencepiece_model):
            raise CheckpointError(f"A vocabulary of kind {self.kind} and its sentencepiece model do not fit.")

    def __len__(self) -> int:
        """Count the labels, blank included: the V of (B, T, V)."""
        return len(self.tokens)

    @property
    def word_boundary_id(self) -> int | None:
        """Return the id of the label that stands between words; None for sentencepiece, whose pieces begin with it."""
        return None if self.kind == "sentencepiece" else WORD_BOUNDARY_ID

    def encode(self, text: str) -> list[int]:
        """Give the label ids of `text`, after the recipe's rules; symbols it has no label for are left out.

        The blank never comes out. Count what is left out with `unknown_symbols`.
        """
        if self.kind == "sentencepiece":
            return [token_id for token_id in self._pieces.encode(text) if token_id != BLANK_ID]
        ids = self._ids
        return [ids[symbol] for symbol in self._split(text) if symbol in ids]

    def decode(self, token_ids: Sequence[int]) -> str:
        """Give the text of label ids from which repeats and blanks have already been taken out.

        Raises:
            ValueError: an id that is the blank or outside the vocabulary.
        """
        for token_id in token_ids:
            if not BLANK_ID < token_id < len(self.tokens):
                raise ValueError(f"id {token_id} is the blank or outside a vocabulary of {len(self.tokens)}")
        text = "".join(self.tokens[token_id] for token_id in token_ids).replace(WORD_BOUNDARY, " ")
        # sentencepiece marks the first word as it does all others.
        return text.removeprefix(" ") if self.kind == "sentencepiece" else text

    def unknown_symbols(self, text: str) -> list[str]:
        """List, in order and with repetitions, the symbols of `text` that `encode` leaves out."""
        if self.kind == "sentencepiece":
            return self._pieces.unknown(text)
        return [symbol for symbol in self._split(text) if symbol not in self._ids]

    def display(self, token_id: int) -> str:
        """Give a label as a person should see it: the blank as an empty box, word boundaries as `␣`."""
        return self.tokens[token_id].replace(BLANK, "\u25a1").replace(WORD_BOUNDARY, "\u2423")

    @cached_property
    def hash(self) -> str:
        """Return the sha256 (hex) of all that decides what an id means."""
        contents = json.dumps(self._contents(), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(contents.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Give the vocabulary as data for a JSON file, with its format version and hash."""
        return {**self._contents(), "hash": self.hash}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Vocabulary":
        """Read what `to_json` gives.

        Raises:
            CheckpointError: another format version, missing parts, duplicates, or a hash that does not fit.
        """
        version = data.get("format_version")
        if version != VOCABULARY_FORMAT_VERSION:
            raise CheckpointError(
                f"The vocabulary has format version {version}, and this lowres reads {VOCABULARY_FORMAT_VERSION}.",
                "Use the version of lowres that wrote it.",
            )
        try:
            vocabulary = cls(
                kind=cast(VocabularyKind, data["kind"]),
                tokens=tuple(data["tokens"]),
                graphemes=tuple(data.get("graphemes", ())),
                sentencepiece_model=base64.b64decode(data.get("sentencepiece_model", ""), validate=True),
            )
            written_hash = data["hash"]
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The vocabulary is damaged: {error!r}.", "Fetch or build it again.") from error
        if vocabulary.hash != written_hash:
            raise CheckpointError(
                "The vocabulary does not fit its own hash: it was changed after it was built.",
                "Take the vocabulary.json that came with the checkpoint; editing it changes what the ids mean.",
            )
        return vocabulary

    def save(self, folder: Path) -> Path:
        """Write `vocabulary.json` into `folder` (created if need be), whole or not at all; give its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / VOCABULARY_FILE
        unfinished = path.with_suffix(".json.partial")
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=1)
        for reserved in _RESERVED:
            text = text.replace(reserved, f"\\u{ord(reserved):04x}")  # visible in an editor, and still the same JSON
        unfinished.write_text(text + "\n", encoding="utf-8", newline="\n")
        unfinished.replace(path)
        return path

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        """Read `vocabulary.json` from `folder`.

        Raises:
            CheckpointError: it is missing, not JSON, or as `from_json`.
        """
        path = folder / VOCABULARY_FILE
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise CheckpointError(f"{path} is missing.", "Was the checkpoint copied whole?") from error
        except (OSError, *ON_NONSENSE) as error:
            raise CheckpointError(f"{path} cannot be read: {error}.", "Was the checkpoint copied whole?") from error
        if not isinstance(data, dict):
            raise CheckpointError(f"{path} is not a vocabulary.", "Was the checkpoint copied whole?")
        return cls.from_json(data)

    def _contents(self) -> dict[str, Any]:
        contents: dict[str, Any] = {
            "format_version": VOCABULARY_FORMAT_VERSION,
            "kind": self.kind,
            "tokens": list(self.tokens),
        }
        if self.graphemes:
            contents["graphemes"] = list(self.graphemes)
        if self.sentencepiece_model:
            contents["sentencepiece_model"] = base64.b64encode(self.sentencepiece_model).decode("ascii")
        return contents

    @cached_property
    def _ids(self) -> dict[str, int]:
        ids = {token: token_id for token_id, token in enumerate(self.tokens) if token_id != BLANK_ID}
        # A text holds spaces, never the private symbol: should it occur, it is unknown.
        ids[" "] = ids.pop(WORD_BOUNDARY)
        return ids

    @cached_property
    def _pieces(self) -> PieceModel:
        return PieceModel(self.sentencepiece_model)

    def _split(self, text: str) -> Sequence[str]:
        return split_graphemes(text, self.graphemes) if self.kind == "graphemes" else text


def build_vocabulary(texts: Iterable[str], settings: VocabularySettings) -> Vocabulary:
    """Build the vocabulary of `texts`, which should be the training text alone.

    The result does not depend on the order of the texts, except for sentencepiece, which is deterministic all the same.

    Args:
        texts: transcripts after the recipe's rules.
        settings: kind, size and declared multigraphs; only those that occur get a label.

    Raises:
        CorpusError: no text at all, or a text that holds a reserved private-use character (for sentencepiece, also its
            own sign U+2581).
        RecipeError: a declared grapheme that cannot be used; a sentencepiece size below the number of letters.
    """
    texts = list(texts)
    _refuse_reserved(texts, settings.kind)
    if not any(texts):
        raise CorpusError("There is no training text to build a vocabulary from.", "Are all transcripts empty?")
    match settings.kind:
        case "characters":
            symbols = set(chain.from_iterable(texts))
        case "graphemes":
            check_graphemes(settings.graphemes)
            symbols = set(chain.from_iterable(split_graphemes(text, settings.graphemes) for text in texts))
        case "sentencepiece":
            return _build_pieces(texts, settings)
    tokens = (BLANK, WORD_BOUNDARY, *sorted(symbols - {" "}))
    return Vocabulary(settings.kind, tokens, settings.graphemes if settings.kind == "graphemes" else ())


def count_adjacent_repeats(token_ids: Sequence[int]) -> int:
    """Count the places where a label follows itself: CTC needs one frame more for each (a blank between the two)."""
    return sum(first == second for first, second in pairwise(token_ids))


def _build_pieces(texts: list[str], settings: VocabularySettings) -> Vocabulary:
    model = train_pieces(texts, size=settings.size, algorithm=settings.algorithm)
    pieces = PieceModel(model).pieces()
    tokens = (BLANK, *(piece.replace(SPACE_PIECE, WORD_BOUNDARY) for piece in pieces[1:]))
    return Vocabulary("sentencepiece", tokens, sentencepiece_model=model)


def _refuse_reserved(texts: list[str], kind: VocabularyKind) -> None:
    reserved = dict(_RESERVED)
    if kind == "sentencepiece":
        reserved[SPACE_PIECE] = "sentencepiece's own word boundary"
    for text in texts:
        for symbol, use in reserved.items():
            if symbol in text:
                raise CorpusError(
                    f"The transcript '{text}' holds U+{ord(symbol):04X}, which lowres uses for {use}.",
                    f'Map it to another character in the recipe: {{ map = {{ "\\u{ord(symbol):04X}" = "..." }} }}.',
                )
