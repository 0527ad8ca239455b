"""A vocabulary as the files of transformers' `Wav2Vec2CTCTokenizer`, so that it decodes what lowres decodes.

That tokenizer spells the word boundary as a printable sign, `|`, which is a letter in some orthographies. It is not
possible to give it another: transformers 5 forgets a `word_delimiter_token` of its files when it reads them. So where
the sign is taken, and for pieces, which hold their word boundary, boundaries are written as the spaces that they are,
and the sign is replaced by itself. In decoding that is exact. Encoding text is not: it splits text by other rules
than ours, and drops the spaces around labels of several letters.
"""

from typing import Any, Final

from lowres.text.vocabulary import BLANK, WORD_BOUNDARY, Vocabulary

_DELIMITER: Final = "|"
_PAD: Final = "<pad>"


def tokenizer_files(vocabulary: Vocabulary) -> dict[str, dict[str, Any]]:
    """Give the contents of vocab.json, tokenizer_config.json and special_tokens_map.json.

    Args:
        vocabulary: of any kind. Its blank becomes the padding token, as transformers wants it, and also what stands for
            letters that it has no label for.

    Returns:
        JSON data by file name. What transformers decodes with them is `Vocabulary.decode` without white space at both
        ends.
    """
    has_own_sign = _has_own_sign(vocabulary)
    boundary = _DELIMITER if has_own_sign else " "
    pad = BLANK if _PAD in vocabulary.tokens else _PAD
    labels = [pad, *(token.replace(WORD_BOUNDARY, boundary) for token in vocabulary.tokens[1:])]
    special = {"pad_token": pad, "unk_token": pad, "bos_token": None, "eos_token": None}
    return {
        "vocab.json": {label: token_id for token_id, label in enumerate(labels)},
        "special_tokens_map.json": {name: token for name, token in special.items() if token is not None},
        "tokenizer_config.json": {
            "tokenizer_class": "Wav2Vec2CTCTokenizer",
            "processor_class": "Wav2Vec2Processor",
            **special,
            "word_delimiter_token": _DELIMITER,
            "replace_word_delimiter_char": " " if has_own_sign else _DELIMITER,
            "do_lower_case": False,
            "clean_up_tokenization_spaces": False,
            "target_lang": None,
        },
    }


def encodes_text(vocabulary: Vocabulary) -> bool:
    """Whether that tokenizer also turns text into the ids that `Vocabulary.encode` gives."""
    return _has_own_sign(vocabulary) and all(len(token) == 1 for token in vocabulary.tokens)


def _has_own_sign(vocabulary: Vocabulary) -> bool:
    return vocabulary.kind != "sentencepiece" and _DELIMITER not in vocabulary.tokens
