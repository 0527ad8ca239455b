"""sentencepiece models, trained and used in memory: deterministic, with id 0 free for the CTC blank."""

import io
from collections.abc import Sequence
from typing import Any, Literal

import sentencepiece

from lowres.errors import CheckpointError, RecipeError

SPACE_PIECE = "\u2581"
_UNKNOWN_ID = 0


class PieceModel:
    """One trained sentencepiece model.

    Args:
        model: its bytes, as `train_pieces` gives them.

    Raises:
        CheckpointError: the bytes are not a sentencepiece model.
    """

    def __init__(self, model: bytes) -> None:
        try:
            self._processor: Any = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise CheckpointError(
                "The vocabulary's sentencepiece model is damaged.", "Fetch or build the vocabulary again."
            ) from error

    def pieces(self) -> list[str]:
        """Give the piece of each id; id 0 is sentencepiece's "unknown", which lowres uses as the blank."""
        return [str(self._processor.id_to_piece(i)) for i in range(self._processor.get_piece_size())]

    def encode(self, text: str) -> list[int]:
        """Give the best segmentation as ids, 0 for what no piece covers; always the same one for the same text."""
        return [int(token_id) for token_id in self._processor.encode(text, out_type=int)] if text else []

    def unknown(self, text: str) -> list[str]:
        """List, in order and with repetitions, the characters of `text` that no piece covers."""
        if not text:
            return []
        pieces = zip(
            self._processor.encode(text, out_type=int), self._processor.encode(text, out_type=str), strict=True
        )
        return [character for token_id, piece in pieces if token_id == _UNKNOWN_ID for character in piece]


def train_pieces(texts: Sequence[str], *, size: int, algorithm: Literal["unigram", "bpe"]) -> bytes:
    """Learn pieces from `texts` and give the model's bytes.

    Every character of the texts gets a piece (coverage 1.0), the text is taken as it is (no normalisation of
    sentencepiece's own), scripts may mix inside a word, and one thread keeps the result the same on every run.

    Args:
        texts: training transcripts after the recipe's rules; none may hold U+2581.
        size: pieces wanted, the unknown one included.
        algorithm: "unigram" or "bpe".

    Raises:
        RecipeError: the size is below the number of characters.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(text for text in texts if text),
            model_writer=model,
            vocab_size=size,
            model_type=algorithm,
            unk_id=_UNKNOWN_ID,
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            character_coverage=1.0,
            hard_vocab_limit=False,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            split_by_unicode_script=False,
            split_by_number=False,
            max_sentence_length=max(len(text.encode()) for text in texts) + 1,  # longer ones would be dropped silently
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        num_characters = len(set().union(*texts) - {" "})
        raise RecipeError(
            f"No sentencepiece vocabulary of {size} labels can be learnt from this text: it has {num_characters} "
            "different characters, each of which needs a label.",
            f"Set vocabulary.size to at least {num_characters + 10}, or vocabulary.kind to characters.",
        ) from error
    return model.getvalue()
