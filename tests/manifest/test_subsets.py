"""Subsets nest, share time among speakers and are the same on every machine."""

import itertools
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_tables import make_table

from lowres.errors import CorpusError, RecipeError
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.subsets import (
    choose_subset,
    label_amount,
    nested_subsets,
    parse_amount,
    read_subset,
    subset_hash,
    write_subsets,
)


def training(minutes_of: dict[str, int], seconds: float = 6.0) -> pd.DataFrame:
    """Make training speech in utterances of 6 s, so many minutes of each speaker."""
    speakers = [name for name, minutes in minutes_of.items() for _ in range(int(minutes * 60 / seconds))]
    return make_table(
        [f"text {n}" for n in range(len(speakers))],
        speakers=speakers,
        seconds=[seconds] * len(speakers),
        splits=["train"] * len(speakers),
    )


@pytest.mark.parametrize(
    ("amount", "minutes", "label"),
    [
        ("10m", 10, "10min"),
        ("10min", 10, "10min"),
        ("1", 60, "1h"),
        ("1h", 60, "1h"),
        (10, 600, "10h"),
        (0.5, 30, "30min"),
        ("1.5h", 90, "1.5h"),
        ("90 min", 90, "1.5h"),
        ("2 hours", 120, "2h"),
    ],
)
def test_amounts_are_read_and_named(amount: str | float, minutes: float, label: str) -> None:
    assert parse_amount(amount) == minutes
    assert label_amount(minutes) == label


@pytest.mark.parametrize("amount", ["", "soon", "-1", 0, "0m", float("nan"), "1d", "1h30"])
def test_what_is_no_amount_is_refused(amount: str | float) -> None:
    with pytest.raises(RecipeError, match="not an amount of speech"):
        parse_amount(amount)


def test_speakers_have_equal_shares_as_far_as_their_material_goes() -> None:
    train = training({"a": 60, "b": 20, "c": 2})
    chosen = train[train["utterance_id"].isin(choose_subset(train, "10m").utterance_ids)]
    minutes = (chosen.groupby("speaker")["duration_seconds"].sum() / 60).to_dict()
    assert minutes == pytest.approx({"a": 4, "b": 4, "c": 2}, abs=0.11)


def test_a_subset_is_at_most_what_was_asked_and_nearly_all_of_it() -> None:
    subset = choose_subset(training({"a": 90}, seconds=7.0), "1h")
    assert 3600 - 7 < subset.seconds <= 3600
    assert subset.is_complete


def test_less_speech_than_asked_is_said_with_the_real_amount() -> None:
    subset = choose_subset(training({"a": 30}), "1h")
    assert not subset.is_complete
    assert len(subset.utterance_ids) == 300
    assert subset.sentence == "There is less training speech than 1h: all of it is taken, 300 utterances, 30min."


def test_standard_subsets_beyond_the_training_speech_are_left_out() -> None:
    assert list(nested_subsets(training({"a": 70}))) == ["10min", "1h"]


def test_a_subset_of_exactly_all_speech_is_complete() -> None:
    assert choose_subset(training({"a": 60}), "1h").is_complete


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(min_value=0.05, max_value=30)), min_size=1, max_size=40),
    st.lists(st.floats(min_value=0.01, max_value=8), min_size=2, max_size=4),
)
def test_any_two_amounts_nest(drawn: list[tuple[str, float]], minutes: list[float]) -> None:
    train = make_table(["x"] * len(drawn), speakers=[s for s, _ in drawn], seconds=[d for _, d in drawn])
    cuts = [choose_subset(train, f"{amount:.4f}m").utterance_ids for amount in sorted(minutes)]
    for shorter, longer in itertools.pairwise(cuts):
        assert longer[: len(shorter)] == shorter


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    train = training({"a": 2, "b": 2})
    assert choose_subset(train.iloc[order], "3m") == choose_subset(train, "3m")


def test_the_lists_are_the_same_on_every_machine() -> None:
    # Frozen: a list that changes here breaks every published figure on a subset.
    assert choose_subset(training({"a": 9, "b": 9}), "10m").sha256 == (
        "cfcf2070a54f67959b7b203c8b7ee340a506626cf0ead396233c64cd7fb8b8ac"
    )


def test_the_hash_is_of_the_ids_as_listed() -> None:
    # printf 'a\nb' | sha256sum
    assert subset_hash(["a", "b"]) == "7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78"
    assert subset_hash(["b", "a"]) != subset_hash(["a", "b"])


def prepare(folder: Path) -> pd.DataFrame:
    train = training({"a": 40, "b": 40})
    hashes = write_subsets(folder, nested_subsets(train))
    write_corpus(folder, train, CorpusInfo(name="x", subset_sha256=hashes))
    return train


def test_written_subsets_are_read_back(tmp_path: Path) -> None:
    train = prepare(tmp_path)
    assert read_subset(tmp_path, 1) == nested_subsets(train)["1h"]
    assert (tmp_path / "subsets" / "train-10min.txt").read_text(encoding="utf-8").count("\n") == 100


def test_other_amounts_are_cut_from_the_same_order(tmp_path: Path) -> None:
    prepare(tmp_path)
    ten, thirty, sixty = (read_subset(tmp_path, amount) for amount in ("10min", 0.5, "1h"))
    assert len(thirty) == 300
    assert thirty[:100] == ten
    assert sixty[:300] == thirty


def test_an_edited_list_is_refused(tmp_path: Path) -> None:
    prepare(tmp_path)
    path = tmp_path / "subsets" / "train-1h.txt"
    path.write_text(path.read_text(encoding="utf-8") + "u9999\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"train-1h\.txt was changed"):
        read_subset(tmp_path, 1)
