"""Splits that were given are kept; splits that are made share no speaker and no sentence where that can be had."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_tables import make_table

from lowres.errors import CorpusError
from lowres.manifest.disjoint import order_by_hash
from lowres.manifest.overlap import count_overlap
from lowres.manifest.settings import SplitSettings
from lowres.manifest.splits import SplitResult, assign_splits, split_recordings


def many_speakers(num_speakers: int = 20, num_each: int = 10) -> pd.DataFrame:
    """Every speaker says sentences that nobody else says, one second each."""
    speakers = [f"s{index // num_each}" for index in range(num_speakers * num_each)]
    return make_table([f"sentence {index}" for index in range(len(speakers))], speakers=speakers)


def shares(table: pd.DataFrame, result: SplitResult) -> dict[str, float]:
    seconds = table.groupby(result.splits)["duration_seconds"].sum()
    return {str(split): float(value) / float(seconds.sum()) for split, value in seconds.items()}


def groups(table: pd.DataFrame, result: SplitResult, column: str) -> dict[str, set[str]]:
    return {split: set(table[column][result.splits == split]) for split in ("train", "dev", "test")}


def test_given_splits_are_kept() -> None:
    table = make_table(["a", "b", "c", "d"], splits=["train", "dev", "test", "other"])
    result = assign_splits(table, SplitSettings())
    assert result.splits.tolist() == ["train", "dev", "test", "other"]
    assert (result.origin, result.reported_split) == ("given", "test")


def test_train_may_be_made_of_train_and_dev() -> None:
    table = make_table(["a", "b", "c"], splits=["train", "dev", "test"])
    settings = SplitSettings(train=("train", "dev"), dev=(), dev_when_missing_share=0)
    assert assign_splits(table, settings).splits.tolist() == ["train", "train", "test"]


def test_a_share_of_training_becomes_dev_where_a_test_but_no_dev_is_left() -> None:
    table = make_table([f"sentence {n}" for n in range(200)] + ["t"], splits=["train"] * 200 + ["test"])
    result = assign_splits(table, SplitSettings())
    assert result.splits.value_counts().to_dict() == {"train": 190, "dev": 10, "test": 1}
    assert any("held out as dev" in warning for warning in result.warnings)


def test_without_a_test_split_dev_is_reported_and_that_is_said() -> None:
    result = assign_splits(make_table(["a", "b"], splits=["train", "dev"]), SplitSettings())
    assert result.reported_split == "dev"
    assert any("no test split" in warning for warning in result.warnings)


def test_shared_speakers_of_given_splits_are_warned_of() -> None:
    table = make_table(["a", "b"], speakers=["x", "x"], splits=["train", "test"])
    result = assign_splits(table, SplitSettings(dev_when_missing_share=0))
    assert not result.speaker_disjoint
    assert result.sentence_disjoint
    assert result.warnings == ["1 of 1 test utterances are by 1 speaker heard in train too."]


def test_utterances_without_a_split_among_given_ones_are_kept_apart_and_counted() -> None:
    result = assign_splits(make_table(["a", "b", "c"], splits=["train", "dev", ""]), SplitSettings())
    assert result.splits.tolist() == ["train", "dev", "other"]
    assert any("1 utterance came without a split" in warning for warning in result.warnings)


def test_one_given_split_alone_is_divided_anew() -> None:
    table = many_speakers().assign(split="train")
    result = assign_splits(table, SplitSettings())
    assert result.origin == "made"
    assert any("Only one split came with the corpus (train)" in warning for warning in result.warnings)


def test_given_splits_stay_when_asked_for() -> None:
    table = many_speakers().assign(split="train")
    assert set(assign_splits(table, SplitSettings(method="given")).splits) == {"train"}


def test_a_test_speaker_is_heard_in_the_test_alone_whatever_was_given() -> None:
    splits = ["train", "dev", "test", "train", "dev", "other"]
    table = make_table(list("abcdef"), speakers=["x", "x", "x", "y", "y", "y"], splits=splits)
    result = assign_splits(table, SplitSettings(test_speakers=("y",)))
    assert result.splits.tolist() == ["train", "dev", "other", "test", "test", "test"]
    assert not groups(table, result, "speaker")["test"] & {"x"}
    assert result.reported_split == "test"


def test_splits_are_made_of_whoever_is_no_test_speaker() -> None:
    table = many_speakers()
    result = assign_splits(table, SplitSettings(test_speakers=("s3", "s7")))
    speakers = groups(table, result, "speaker")
    assert speakers["test"] == {"s3", "s7"}
    assert not speakers["train"] & speakers["dev"]
    assert shares(table, result) == pytest.approx({"train": 0.85, "dev": 0.05, "test": 0.1})  # in whole speakers


def test_dev_is_held_out_of_training_where_only_that_was_given_beside_the_test_speaker() -> None:
    table = make_table(
        [f"sentence {n}" for n in range(210)], speakers=["x"] * 200 + ["y"] * 10, splits=["train"] * 200 + ["dev"] * 10
    )
    result = assign_splits(table, SplitSettings(method="given", test_speakers=("y",)))
    assert result.splits.value_counts().to_dict() == {"train": 190, "dev": 10, "test": 10}


def test_a_test_speaker_whom_nobody_knows_is_refused() -> None:
    with pytest.raises(CorpusError, match="'z', and nobody") as refused:
        assign_splits(many_speakers(2), SplitSettings(test_speakers=("s1", "z")))
    assert refused.value.hint == "Its speakers: s0, s1."


def test_made_splits_share_no_speaker_and_no_sentence() -> None:
    table = many_speakers()
    result = assign_splits(table, SplitSettings())
    speakers = groups(table, result, "speaker")
    assert not speakers["train"] & speakers["test"]
    assert not speakers["train"] & speakers["dev"]
    assert not speakers["dev"] & speakers["test"]
    assert (result.speaker_disjoint, result.sentence_disjoint, result.warnings) == (True, True, [])


def test_made_splits_have_the_shares_asked_for() -> None:
    table = many_speakers()
    assert shares(table, assign_splits(table, SplitSettings())) == pytest.approx(
        {"train": 0.8, "dev": 0.1, "test": 0.1}, abs=0.01
    )


def test_shares_are_of_duration_not_of_utterances() -> None:
    table = make_table([f"s {n}" for n in range(400)], seconds=[1.0 + n % 9 for n in range(400)])
    assert shares(table, assign_splits(table, SplitSettings(test_share=0.3, train_share=0.6))) == pytest.approx(
        {"train": 0.6, "dev": 0.1, "test": 0.3}, abs=0.02
    )


def test_one_speaker_falls_back_to_unseen_sentences_and_says_so() -> None:
    table = make_table([f"s {n // 2}" for n in range(200)], speakers=["x"] * 200)
    result = assign_splits(table, SplitSettings())
    assert not result.speaker_disjoint
    assert result.sentence_disjoint
    assert "All speech is by one speaker" in result.warnings[0]


def test_two_speakers_are_too_few_for_three_splits() -> None:
    table = make_table([f"s {n}" for n in range(100)], speakers=["x", "y"] * 50)
    result = assign_splits(table, SplitSettings())
    assert not result.speaker_disjoint
    assert "There are 2 speakers, too few" in result.warnings[0]


def test_three_speakers_of_fitting_amounts_are_kept_apart() -> None:
    table = make_table([f"s {n}" for n in range(100)], speakers=["x"] * 80 + ["y"] * 9 + ["z"] * 11)
    result = assign_splits(table, SplitSettings())
    assert result.speaker_disjoint
    assert any("Only one speaker is in test" in warning for warning in result.warnings)


def test_unnamed_speakers_are_never_called_disjoint() -> None:
    result = assign_splits(make_table([f"s {n}" for n in range(100)]), SplitSettings())
    assert not result.speaker_disjoint
    assert "No utterance names its speaker" in result.warnings[0]


def test_a_few_shared_sentences_are_set_aside_from_the_scored_splits() -> None:
    table = many_speakers()
    table.loc[table.index % 10 == 0, "text"] = "good morning"
    result = assign_splits(table, SplitSettings())
    assert result.sentence_disjoint
    assert (result.splits == "other").sum() == 4  # 2 of 20 speakers in dev and 2 in test, each said it once
    assert any("4 utterances (2.0% of the speech) set aside" in warning for warning in result.warnings)


def test_a_reading_list_for_everybody_stays_shared_and_is_warned_of() -> None:
    table = many_speakers().assign(text=[f"line {n % 10}" for n in range(200)])
    result = assign_splits(table, SplitSettings())
    assert result.speaker_disjoint
    assert not result.sentence_disjoint
    assert any("10 sentences said by speakers of several splits stay" in warning for warning in result.warnings)


def test_a_reading_list_is_divided_where_that_cost_is_allowed() -> None:
    table = many_speakers(20, 30).assign(text=[f"line {n % 30}" for n in range(600)])
    result = assign_splits(table, SplitSettings(max_set_aside_share=0.5))
    assert result.speaker_disjoint
    assert result.sentence_disjoint
    assert {"train", "dev", "test", "other"} == set(result.splits)


@pytest.mark.parametrize("num_readers", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_aside", [0.1, 0.5])
def test_no_split_is_lost_to_readers_who_all_read_one_list(num_readers: int, seed: int, most_aside: float) -> None:
    table = many_speakers(9, 6)
    readers = table["speaker"].isin([f"s{number}" for number in range(num_readers)])
    table["text"] = table["text"].where(~readers, [f"line {n % 6}" for n in range(54)])
    table = table[~readers | (table.index % 6 < 4)]
    result = assign_splits(table, SplitSettings(max_set_aside_share=most_aside), seed)
    assert {"train", "dev", "test"} <= set(result.splits)
    said = " ".join(result.warnings)
    assert result.sentence_disjoint or "error rates will say little about new sentences" in said
    for split in ("test", "dev"):
        speakers = groups(table, result, "speaker")[split]
        assert (f"Only one speaker is in {split}" in said) == (len(speakers) == 1)


def test_a_handful_of_words_cannot_be_unseen_and_that_is_said() -> None:
    table = make_table(["yes", "no"] * 50, speakers=["x"] * 100)
    result = assign_splits(table, SplitSettings())
    assert not result.sentence_disjoint
    assert any("no more than 2 different sentences" in warning for warning in result.warnings)
    assert shares(table, result) == pytest.approx({"train": 0.8, "dev": 0.1, "test": 0.1})


def test_excluded_utterances_do_not_count() -> None:
    table = many_speakers()
    table["included"] = table.index % 2 == 0
    result = assign_splits(table, SplitSettings())
    kept = table[table["included"]]
    assert shares(kept, SplitResult(result.splits[kept.index], [], True, True, "made", "test", result.overlap)) == (
        pytest.approx({"train": 0.8, "dev": 0.1, "test": 0.1}, abs=0.01)
    )


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(60)), st.integers(min_value=0, max_value=5))
def test_the_order_of_rows_changes_nothing(order: list[int], seed: int) -> None:
    table = make_table(
        [f"s {n // 2}" for n in range(60)],
        speakers=[f"x{n % 12}" for n in range(60)],
        seconds=[1 + n % 5 for n in range(60)],
    )
    plain = assign_splits(table, SplitSettings(), seed)
    mixed = assign_splits(table.iloc[order].reset_index(drop=True), SplitSettings(), seed)
    ids = table["utterance_id"].iloc[order]
    assert dict(zip(table["utterance_id"], plain.splits, strict=True)) == dict(zip(ids, mixed.splits, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("stuvwxyz"), st.floats(min_value=0.1, max_value=9)),
        min_size=1,
        max_size=60,
    )
)
def test_what_is_called_disjoint_is_disjoint(drawn: list[tuple[str, str, float]]) -> None:
    texts, speakers, seconds = (list(column) for column in zip(*drawn, strict=True))
    table = make_table(texts, speakers=speakers, seconds=seconds)
    result = assign_splits(table, SplitSettings(max_set_aside_share=0.4))
    for claim, column in ((result.speaker_disjoint, "speaker"), (result.sentence_disjoint, "text")):
        found = groups(table, result, column)
        if claim:
            assert not found["train"] & (found["dev"] | found["test"])
    assert (result.splits == "train").any()


def test_another_seed_makes_other_splits() -> None:
    table = many_speakers()
    assert not assign_splits(table, SplitSettings(), 1).splits.equals(assign_splits(table, SplitSettings(), 2).splits)


def test_the_order_by_hash_is_the_same_on_every_machine() -> None:
    # printf 'sentence\\0001\\000%s' a | sha256sum, and so on, sorted
    assert order_by_hash(["a", "b", "c", "d", "e", "é"], 1, "sentence") == [0, 4, 1, 3, 5, 2]


@given(st.lists(st.text(max_size=5), unique=True, max_size=12), st.integers())
def test_the_order_of_two_names_does_not_depend_on_the_others(names: list[str], seed: int) -> None:
    ordered = [names[position] for position in order_by_hash(names, seed, "p")]
    some = names[::2]
    assert [some[position] for position in order_by_hash(some, seed, "p")] == [n for n in ordered if n in some]


def test_overlap_is_counted_by_hand() -> None:
    table = make_table(
        ["Good day", "good  day", "bye", "bye", "", "", "left out"],
        speakers=["x", "y", "x", "z", "", "", "x"],
        splits=["train", "test", "test", "dev", "train", "test", "test"],
    )
    table.loc[6, "included"] = False
    overlap = count_overlap(table)
    pair = overlap.between("train", "test")
    assert pair is not None
    assert (pair.num_shared_speakers, pair.num_utterances_of_shared_speakers) == (1, 1)
    assert (pair.num_shared_sentences, pair.num_utterances_of_shared_sentences) == (1, 1)
    assert pair.num_second_utterances == 3
    assert overlap.num_utterances_without_speaker == 2
    dev_test = overlap.between("dev", "test")
    assert dev_test is not None
    assert dev_test.num_shared_sentences == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"train": ("train", "dev")}, "dev = []"),
        ({"train_share": 0.9}, "add up to 1"),
        ({"train": ()}, "at least one"),
        ({"test": ("validation",)}, "validation"),
        ({"dev_when_missing_share": 0.9}, "between 0 and 0.5"),
        ({"max_set_aside_share": 2.0}, "between 0 and 1"),
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[").replace("]", r"\]")):
        SplitSettings(**wrong)  # type: ignore[arg-type]


def test_of_recordings_alone_five_minutes_are_held_out_and_nothing_is_tested() -> None:
    table = make_table([""] * 200, seconds=[40.0] * 200)
    result = split_recordings(table, SplitSettings())
    assert table.groupby(result.splits)["duration_seconds"].sum().to_dict() == {"train": 7720, "dev": 280}
    assert (result.origin, result.warnings) == ("made", [])
    assert split_recordings(table.iloc[::-1], SplitSettings()).splits.sort_index().tolist() == result.splits.tolist()


def test_of_few_recordings_a_tenth_is_held_out() -> None:
    table = make_table([""] * 30, seconds=[10.0] * 30)
    assert (split_recordings(table, SplitSettings()).splits == "dev").sum() == 3


def test_a_long_recording_is_never_held_out_for_a_few_minutes_of_it() -> None:
    table = make_table([""] * 4, seconds=[3600.0, 5400.0, 60.0, 3600.0])
    assert split_recordings(table, SplitSettings()).splits.tolist() == ["train", "train", "dev", "train"]
    alone = split_recordings(table.iloc[[0, 1, 3]], SplitSettings())
    assert alone.splits.tolist() == ["train"] * 3
    assert "No recording is short enough to be held out" in alone.warnings[0]


def test_a_dev_folder_of_recordings_is_kept() -> None:
    table = make_table([""] * 3, splits=["", "dev", "test"], seconds=[9.0, 900.0, 9.0])
    result = split_recordings(table, SplitSettings())
    assert (result.splits.tolist(), result.origin) == (["train", "dev", "test"], "given")


def test_recordings_left_out_are_not_held_out() -> None:
    table = make_table([""] * 30, seconds=[10.0] * 30).assign(included=[n >= 15 for n in range(30)])
    result = split_recordings(table, SplitSettings())
    assert (result.splits[:15] == "train").all()
    assert (result.splits == "dev").sum() == 1
