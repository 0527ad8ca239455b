"""CTC beam search with an n-gram language model, by flashlight's text decoder and KenLM (Kahn et al. 2022).

A word model decodes with a lexicon: only words that it knows can come out. A character model, whose "words" are the
labels of the vocabulary, leaves the vocabulary open. No torch is imported here: worker processes start in a moment.
"""

import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt

from lowres.decoding.ngram import UNKNOWN
from lowres.errors import LowresError
from lowres.text.vocabulary import WORD_BOUNDARY

LogProbs = npt.NDArray[np.float32]
ModelKind = Literal["word", "character"]

BLANK_ID: Final = 0
_SURE_BLANK_ODDS: Final = 99.0
"""Frames in a row that are blank with at least these odds, after the penalty, count as one: hardly anything begins or
ends in them. On Mboshi that is over a third of the frames."""

_LOWEST: Final = -1e4
"""The log-probability of what cannot be; infinities would spoil the decoder's sums."""


@dataclass(frozen=True)
class BeamSettings:
    """How a beam search weighs what was heard against what is usually said; all terms are added to natural logs."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}

    language_weight: float = 1.0
    """Times log10 of the language model's probability; 0 or more."""

    word_bonus: float = 0.0
    """Added for each word of a word model: above 0 more and shorter words come out."""

    blank_penalty: float = 0.0
    """Taken from the blank in each frame: above 0 more labels come out."""

    beam_size: int = 50
    """How many hypotheses are kept in each frame."""

    labels_per_frame: int = 20
    """How many labels, the likeliest ones, each frame may add."""

    beam_threshold: float = 25.0
    """Hypotheses that are further behind the best one are dropped."""

    def __post_init__(self) -> None:
        """Refuse what no search could use.

        Raises:
            ValueError: a negative weight, a beam of nothing.
        """
        if self.language_weight < 0 or min(self.beam_size, self.labels_per_frame) < 1 or self.beam_threshold <= 0:
            raise ValueError(f"{self} cannot be searched with")


@dataclass(frozen=True)
class BeamModel:
    """What a beam search searches with, apart from its settings.

    Attributes:
        kind: of the language model.
        arpa: its file.
        labels: V labels of the recogniser, the blank first, spelled as in the file of a character model.
        boundary_id: the label between words; None where labels carry it themselves (sentencepiece).
        lexicon: word model: each word and the label ids that spell it.
    """

    kind: ModelKind
    arpa: Path
    labels: tuple[str, ...]
    boundary_id: int | None
    lexicon: tuple[tuple[str, tuple[int, ...]], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class BeamHypothesis:
    """One of the best transcriptions.

    Attributes:
        token_ids: labels, without blanks and repeats; word model: those that spell the words.
        words: word model: what the lexicon says they spell; else None.
        score: what the search gave it: natural log-probability, weighted language score and bonuses.
    """

    token_ids: tuple[int, ...]
    words: tuple[str, ...] | None
    score: float


def demand_flashlight() -> None:
    """Refuse beam search where its library is missing.

    Raises:
        LowresError: flashlight's text decoder cannot be imported.
    """
    try:
        import flashlight.lib.text.decoder.kenlm  # noqa: F401
    except ImportError as error:
        raise LowresError(
            f"Beam search needs flashlight's text decoder, which is not here ({error}).",
            "Install it with `pip install ufal-flashlight-text` where it has a wheel for this machine; without it, "
            "decode with `--lm none`.",
        ) from error


class BeamDecoder:
    """Searches with one language model; the file is read once, settings may change between searches.

    Raises:
        LowresError: flashlight's text decoder is missing, or the model's file cannot be read.
    """

    def __init__(self, model: BeamModel) -> None:
        demand_flashlight()
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self._model = model
        self._words = [*(word for word, _ in model.lexicon), UNKNOWN] if model.kind == "word" else []
        entries = self._words or list(model.labels)
        dictionary = Dictionary()
        for entry in entries:
            dictionary.add_entry(entry)
        try:
            with _silent():
                self._language_model = KenLM(str(model.arpa), dictionary)
        except (RuntimeError, ValueError) as error:
            raise LowresError(
                f"{model.arpa} is no language model that KenLM reads: {error}.", "Make it again with `lowres lm`."
            ) from error
        self._silence_id = BLANK_ID if model.boundary_id is None else model.boundary_id
        self._trie = self._build_trie() if model.kind == "word" else None
        self._decoders: dict[BeamSettings, Any] = {}

    def decode(self, log_probs: LogProbs, settings: BeamSettings, *, num_best: int = 1) -> list[BeamHypothesis]:
        """Search one utterance.

        Args:
            log_probs: (T, V) natural logarithms.
            settings: weights and the width of the beam.
            num_best: how many different transcriptions are wanted at most.

        Returns:
            The best transcriptions, best first; a single empty one where T is 0.

        Raises:
            ValueError: V is not the number of labels.
        """
        if log_probs.ndim != 2 or log_probs.shape[1] != len(self._model.labels):
            raise ValueError(f"expected log_probs (T, {len(self._model.labels)}), got {log_probs.shape}")
        if not len(log_probs):
            return [BeamHypothesis((), () if self._trie else None, 0.0)]
        frames = _without_sure_blanks(log_probs, settings.blank_penalty)
        if self._trie is not None and self._model.boundary_id is None:
            frames = _with_runs_as_one(frames)
        scores = self._prepare(frames, settings)
        results = self._decoder(settings).decode(scores.ctypes.data, len(scores), scores.shape[1])
        found: dict[str, BeamHypothesis] = {}
        for result in results:
            hypothesis = self._read(result)
            found.setdefault(self._said(hypothesis), hypothesis)
            if len(found) == num_best:
                break
        return list(found.values()) or [BeamHypothesis((), () if self._trie else None, 0.0)]

    def _prepare(self, log_probs: LogProbs, settings: BeamSettings) -> LogProbs:
        """Take the penalty off the blank; a lexicon's words end in a boundary, so one is put behind the last frame."""
        scores = np.maximum(np.ascontiguousarray(log_probs, dtype=np.float32), _LOWEST)
        if settings.blank_penalty:
            scores = scores.copy()
            scores[:, BLANK_ID] -= settings.blank_penalty
        if self._trie is not None and self._model.boundary_id is not None:
            end = np.full((1, scores.shape[1]), _LOWEST, dtype=np.float32)
            end[0, self._model.boundary_id] = 0.0
            scores = np.concatenate([scores, end])
        return scores

    def _read(self, result: Any) -> BeamHypothesis:
        if self._trie is None:
            # The path begins with a silence before the first frame and ends with one behind the last.
            path = groupby(result.tokens[1:-1])
            return BeamHypothesis(tuple(token for token, _ in path if token != BLANK_ID), None, float(result.score))
        # A lexicon's path is no source of labels: it ends in a boundary behind the last frame, or in half a word.
        found = [self._model.lexicon[word] for word in result.words if 0 <= word < len(self._model.lexicon)]
        boundary = () if self._model.boundary_id is None else (self._model.boundary_id,)
        token_ids = tuple(chain.from_iterable((*boundary, *spelling) for _, spelling in found))[len(boundary) :]
        return BeamHypothesis(token_ids, tuple(word for word, _ in found), float(result.score))

    def _said(self, hypothesis: BeamHypothesis) -> str:
        """Return what transcriptions that read the same have in common: the text, however it is cut into labels."""
        if hypothesis.words is not None:
            return " ".join(hypothesis.words)
        boundary_id, labels = self._model.boundary_id, self._model.labels
        text = "".join(WORD_BOUNDARY if token == boundary_id else labels[token] for token in hypothesis.token_ids)
        return " ".join(text.replace(WORD_BOUNDARY, " ").split())

    def _build_trie(self) -> Any:
        from flashlight.lib.text.decoder import SmearingMode, Trie

        trie = Trie(len(self._model.labels), self._silence_id)
        start = self._language_model.start(False)
        for index, (_, spelling) in enumerate(self._model.lexicon):
            _, score = self._language_model.score(start, index)
            boundary_id = self._model.boundary_id
            path = _with_blanks(spelling) if boundary_id is None else [*spelling, boundary_id]
            trie.insert(path, index, score)
        trie.smear(SmearingMode.MAX)
        return trie

    def _decoder(self, settings: BeamSettings) -> Any:
        if settings not in self._decoders:
            # One at a time: each holds the hypotheses of its last utterance.
            self._decoders = {settings: self._make_decoder(settings)}
        return self._decoders[settings]

    def _make_decoder(self, settings: BeamSettings) -> Any:
        from flashlight.lib.text import decoder

        options = {
            "beam_size": settings.beam_size,
            "beam_size_token": min(settings.labels_per_frame, len(self._model.labels)),
            "beam_threshold": settings.beam_threshold,
            "lm_weight": settings.language_weight,
            "sil_score": 0.0,
            "log_add": False,
            "criterion_type": decoder.CriterionType.CTC,
        }
        make = partial(decoder.LexiconFreeDecoder, decoder.LexiconFreeDecoderOptions(**options))
        if self._trie is None:
            return make(self._language_model, self._silence_id, BLANK_ID, [])
        with_words = decoder.LexiconDecoderOptions(**options, word_score=settings.word_bonus, unk_score=-np.inf)
        return decoder.LexiconDecoder(
            with_words,
            self._trie,
            self._language_model,
            self._silence_id,
            BLANK_ID,
            len(self._words) - 1,
            [],
            False,
        )


def _without_sure_blanks(log_probs: LogProbs, blank_penalty: float) -> LogProbs:
    """Return (T', V) the frames that can change anything, T' at most T and at least 1."""
    odds = _SURE_BLANK_ODDS * math.exp(blank_penalty)
    is_sure = np.exp(log_probs[:, BLANK_ID]) >= odds / (1 + odds)
    keep = ~is_sure
    keep[1:] |= is_sure[1:] & ~is_sure[:-1]
    keep[0] = True
    kept: LogProbs = log_probs[keep]
    return kept


def _with_blanks(spelling: Sequence[int]) -> list[int]:
    """Put a blank between equal neighbours: flashlight demands none before the label that ends a word."""
    doubled = [(BLANK_ID, label) if label == before else (label,) for before, label in pairwise((BLANK_ID, *spelling))]
    return list(chain.from_iterable(doubled))


def _with_runs_as_one(log_probs: LogProbs) -> LogProbs:
    """Return (T', V) scores in which frames in a row with the same best label are one frame, their scores summed.

    flashlight leaves a word with the first frame of its last label and takes no more of that label: it expects words
    to end in a boundary. Pieces carry theirs in front, so a last piece that is heard in two frames in a row would be
    lost. Frames that are blank stay apart.
    """
    best = log_probs.argmax(axis=1)
    begins = np.ones(len(best), dtype=bool)
    begins[1:] = (best[1:] != best[:-1]) | (best[1:] == BLANK_ID)
    summed: LogProbs = np.add.reduceat(log_probs, np.flatnonzero(begins), axis=0)
    return summed


@contextmanager
def _silent() -> Iterator[None]:
    """Send stderr nowhere: KenLM draws a progress bar there when it reads a file, and cannot be told not to."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
