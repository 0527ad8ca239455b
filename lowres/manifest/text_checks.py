"""Checks of transcripts: empty, undeclared symbols, odd pace, too long for CTC, said twice, said in two splits."""

import re
from collections import Counter
from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowres.manifest.findings import CheckResult, column, describe, make_result
from lowres.manifest.overlap import is_among, sentence_codes
from lowres.manifest.settings import DEV, TEST, TRAIN

_SYMBOLS_IN_SENTENCE = 12
_MIN_UTTERANCES_FOR_PACE = 20
_MAD_TO_DEVIATION = 1.4826


def check_empty_text(table: pd.DataFrame) -> CheckResult:
    """Find utterances whose text is empty after the recipe's rules."""
    bad = np.fromiter((not text.strip() for text in table["text"].tolist()), dtype=bool, count=len(table))
    details = [f"as written: {raw!r}" for raw in table["raw_text"][bad].tolist()]
    return make_result("empty-text", "drop", table["utterance_id"][bad], details, "no text is left to train on")


def check_undeclared_symbols(
    table: pd.DataFrame, alphabet: Collection[str], list_undeclared: Callable[[str], list[str]]
) -> CheckResult:
    """Find utterances whose text holds symbols outside the declared alphabet, and count each symbol.

    Args:
        alphabet: declared symbols; nothing declared allows everything.
        list_undeclared: what to ask about a text that is not plainly made of single declared letters; gives the
            undeclared symbols of a text, with repetitions.
    """
    if not alphabet:
        return make_result("undeclared-symbols", "warn", table["utterance_id"].iloc[:0], [], "")
    letters = re.escape("".join(symbol for symbol in alphabet if len(symbol) == 1))
    looks_undeclared = re.compile(f"[^ {letters}]").search
    ids, details = [], []
    counted: Counter[str] = Counter()
    for position, text in enumerate(table["text"].tolist()):
        if not looks_undeclared(text):
            continue
        undeclared = Counter(list_undeclared(text))
        if undeclared:
            counted.update(undeclared)
            ids.append(position)
            details.append(" ".join(f"{symbol} x{times}" for symbol, times in undeclared.most_common()))
    most = ", ".join(f"{symbol} ({times:,})" for symbol, times in counted.most_common(_SYMBOLS_IN_SENTENCE))
    told = f"symbols outside the declared alphabet: {most}"
    if len(counted) > _SYMBOLS_IN_SENTENCE:
        told += f" and {len(counted) - _SYMBOLS_IN_SENTENCE} more"
    return make_result("undeclared-symbols", "warn", table["utterance_id"].iloc[ids], details, told)


def check_too_short_for_ctc(
    table: pd.DataFrame,
    num_frames: npt.NDArray[np.int64],
    num_tokens: npt.NDArray[np.int64],
    num_repeats: npt.NDArray[np.int64],
) -> CheckResult:
    """Find utterances with fewer frames than CTC needs: one a token, and one blank between two equal neighbours.

    Args:
        num_frames: (N,) encoder frames of each utterance, not samples.
        num_tokens: (N,) tokens of its text.
        num_repeats: (N,) places where a token equals the one before it.
    """
    needed = num_tokens + num_repeats
    bad = needed > num_frames
    details = [
        f"{frames} frames for {tokens} tokens and {repeats} repeats"
        for frames, tokens, repeats in zip(num_frames[bad], num_tokens[bad], num_repeats[bad], strict=True)
    ]
    told = "too short for the transcript: fewer frames than its letters and double letters need"
    return make_result("too-short-for-ctc", "drop", table["utterance_id"][bad], details, told)


def check_pace(table: pd.DataFrame, max_ratio: float, max_deviations: float) -> CheckResult:
    """Find utterances spoken implausibly fast or slowly for their transcript, which often means a wrong transcript.

    Characters per second are compared with their median, on a log scale, in robust standard deviations
    (1.4826 x MAD); both limits must be passed. Fewer than 20 utterances with audio and text are not judged.

    Args:
        max_ratio: above 1; times faster or slower than the median.
        max_deviations: robust standard deviations.
    """
    seconds = column(table, "duration_seconds")
    lengths = np.fromiter(map(len, table["text"].tolist()), dtype=np.float64, count=len(table))
    known = (seconds > 0) & (lengths > 0)
    if known.sum() < _MIN_UTTERANCES_FOR_PACE:
        return make_result("pace", "warn", table["utterance_id"].iloc[:0], [], "")
    pace = np.zeros(len(table))
    pace[known] = np.log(lengths[known] / seconds[known])
    median = float(np.median(pace[known]))
    deviation = _MAD_TO_DEVIATION * float(np.median(np.abs(pace[known] - median)))
    off = np.abs(pace - median)
    bad = known & (off > np.log(max_ratio)) & (off > max_deviations * deviation)
    usual = float(np.exp(median))
    told = f"far more or fewer letters per second than usual ({usual:.1f}), perhaps a wrong or partial transcript"
    details = describe(f"{{:.1f}} letters per second, usual {usual:.1f}", np.exp(pace[bad]))
    return make_result("pace", "warn", table["utterance_id"][bad], details, told)


def check_duplicate_text(table: pd.DataFrame) -> CheckResult:
    """Find utterances whose speaker says a sentence again; unnamed speakers count as one."""
    sentences = sentence_codes(table)
    speakers = pd.factorize(table["speaker"].to_numpy(dtype=object))[0]
    keys = sentences * (int(speakers.max(initial=0)) + 1) + speakers
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    bad = (first[group] != np.arange(len(table))) & (sentences >= 0)
    originals = table["utterance_id"].to_numpy(dtype=object)[first[group[bad]]].tolist()
    details = [f"same text and speaker as {name}" for name in originals]
    told = "the same sentence by the same speaker as an earlier utterance"
    return make_result("duplicate-text", "warn", table["utterance_id"][bad], details, told)


def check_shared_sentences(table: pd.DataFrame) -> CheckResult:
    """Find dev and test utterances whose sentence is in train; needs the final splits.

    Rows with included false neither count nor are counted.
    """
    splits = table["split"].to_numpy(dtype=object)
    used = table["included"].to_numpy(dtype=bool)
    in_train = is_among(sentence_codes(table), used & (splits == TRAIN))
    bad = used & in_train & ((splits == DEV) | (splits == TEST))
    details = [f"in {split} and in train" for split in splits[bad].tolist()]
    told = "the sentence is in train too, so error rates on it say little about new sentences"
    return make_result("sentence-in-train", "warn", table["utterance_id"][bad], details, told)
