"""prepare, step 4: the checks, in two rounds, because some need the vocabulary of the training text."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lowres.manifest.checks import CheckInputs, run_checks
from lowres.manifest.findings import CheckResult
from lowres.manifest.misfits import MisfitsPlace
from lowres.manifest.schema import Skipped
from lowres.manifest.settings import TRAIN
from lowres.manifest.text_checks import check_shared_sentences, check_too_short_for_ctc
from lowres.model.config import num_frames_for
from lowres.recipe import Recipe
from lowres.text.alphabet import undeclared_symbols
from lowres.text.vocabulary import Vocabulary, count_adjacent_repeats


def check_before_splits(
    table: pd.DataFrame,
    measures: pd.DataFrame,
    unreadable: Mapping[str, str],
    recipe: Recipe,
    *,
    channels: Sequence[int | None] | None = None,
    is_transcribed: bool = True,
    misfits: MisfitsPlace | None = None,
) -> list[CheckResult]:
    """Run every check that needs neither splits nor a vocabulary, against the recipe's alphabet and limits."""
    alphabet, reader = recipe.text.alphabet, recipe.corpus.reader
    inputs = CheckInputs(
        unreadable=unreadable,
        measures=measures,
        alphabet=alphabet,
        list_undeclared=lambda text: undeclared_symbols(text, alphabet),
        is_transcribed=is_transcribed,
        channels=channels,
        padding_seconds=reader.padding_seconds if reader else 0.0,
        misfits=misfits,
    )
    return run_checks(table, inputs, recipe.checks)


def check_with_vocabulary(table: pd.DataFrame, vocabulary: Vocabulary, recipe: Recipe) -> list[CheckResult]:
    """Find what is too short for CTC, said in train and elsewhere, or changed by the vocabulary; in this order."""
    config = recipe.network_config()
    included = table["included"].to_numpy()
    num_tokens = np.zeros(len(table), dtype=np.int64)
    num_repeats = np.zeros(len(table), dtype=np.int64)
    num_frames = np.zeros(len(table), dtype=np.int64)
    unfaithful = np.zeros(len(table), dtype=bool)
    in_train = (table["split"] == TRAIN).to_numpy()
    samples = table["num_samples"].tolist()
    for position, text in enumerate(table["text"].tolist()):
        if not included[position]:
            continue
        token_ids = vocabulary.encode(text)
        num_tokens[position], num_repeats[position] = len(token_ids), count_adjacent_repeats(token_ids)
        num_frames[position] = num_frames_for(samples[position], config)
        unfaithful[position] = in_train[position] and vocabulary.decode(token_ids) != text
    ids = table.loc[unfaithful, "utterance_id"].tolist()
    told = f"{len(ids)} training utterance(s) come back changed from the vocabulary ({', '.join(ids[:3])})."
    return [
        check_too_short_for_ctc(table, num_frames, num_tokens, num_repeats),
        check_shared_sentences(table),
        CheckResult("vocabulary-changes-text", "warn", ids, [""] * len(ids), told if ids else ""),
    ]


def report_skipped(skipped: Sequence[Skipped]) -> CheckResult:
    """Turn what the reader left out into a check, so that checks.tsv names everything that is not in the corpus."""
    named = "; ".join(f"{one.place}: {one.reason}" for one in skipped[:3]) + ("; ..." if len(skipped) > 3 else "")
    noun = "place" if len(skipped) == 1 else "places"
    return CheckResult(
        "skipped",
        "drop",
        [one.place for one in skipped],
        [one.reason for one in skipped],
        f"{len(skipped):,} {noun} in the corpus could not be used: {named}." if skipped else "",
    )
