"""Leaving speakers out: nothing of theirs is learnt from, and sentences both sides said go from one of them."""

from dataclasses import replace

import pandas as pd
import pytest

from lowres.errors import CorpusError
from lowres.manifest.leave_out import group_speakers, leave_out, named_speakers
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.settings import SplitSettings

SETTINGS = SplitSettings()


def table_of(*rows: tuple[str, str, str], seconds: float = 2.0) -> pd.DataFrame:
    """Make a manifest of (speaker, split, text), each of `seconds`."""
    return table_from_rows(
        UtteranceRow(
            utterance_id=f"u{number}",
            audio_path="a.wav",
            end_seconds=seconds,
            speaker=speaker,
            split=split,
            raw_text=text,
        )
        for number, (speaker, split, text) in enumerate(rows)
    )


def splits_of(table: pd.DataFrame) -> list[str]:
    return list(table["split"])


def test_all_that_the_left_out_speaker_said_is_test_and_the_others_dev_stays_dev() -> None:
    table = table_of(
        ("ana", "train", "a"), ("ana", "dev", "b"), ("bo", "train", "c"), ("bo", "dev", "d"), ("cy", "test", "e"),
    )  # fmt: skip
    left = leave_out(table, ["ana"], SETTINGS)
    assert splits_of(left.table) == ["test", "test", "train", "dev", "train"]
    assert (left.num_set_aside, left.num_unscored, left.num_known_sentences) == (0, 0, 0)


def test_dev_is_drawn_from_the_others_where_only_the_left_out_speaker_was_dev() -> None:
    rows = [("ana", "dev", "x")] + [("bo", "train", f"sentence {number}") for number in range(40)]
    left = leave_out(table_of(*rows), ["ana"], SETTINGS)
    assert splits_of(left.table).count("dev") == 2  # 5 % of 40 utterances of like length
    assert set(left.table.loc[left.table["split"] == "dev", "speaker"]) == {"bo"}
    assert "no dev split" in left.warnings[0]


def test_a_sentence_of_both_sides_goes_from_the_side_that_loses_less() -> None:
    many = [("bo", "train", f"b{number}") for number in range(30)]
    few = [("ana", "train", "B1"), ("ana", "train", "a1")]
    # One of ana's two utterances is shared, one of bo's thirty: bo's is set aside, from dev as from train.
    left = leave_out(table_of(*many, ("bo", "dev", "d"), *few), ["ana"], SETTINGS)
    assert (left.num_set_aside, left.seconds_set_aside, left.num_unscored) == (1, 2.0, 0)
    assert splits_of(left.table)[1] == "other"
    # Left out the other way round, ana's thirty-two lose less than bo's two: they are not scored.
    left = leave_out(table_of(*many, ("bo", "dev", "d"), *few), ["bo"], SETTINGS)
    assert (left.num_set_aside, left.num_unscored, left.seconds_unscored) == (0, 1, 2.0)
    assert left.num_known_sentences == 0


def test_shared_sentences_are_kept_and_counted_where_either_side_would_lose_too_much() -> None:
    table = table_of(
        ("ana", "train", "the list"), ("ana", "train", "x"), ("bo", "train", "the list"), ("bo", "train", "y"),
        ("bo", "dev", "z"),
    )  # fmt: skip
    left = leave_out(table, ["ana"], SETTINGS)
    assert (left.num_set_aside, left.num_unscored, left.num_known_sentences) == (0, 0, 1)
    generous = replace(SETTINGS, max_set_aside_share=0.5)
    assert leave_out(table, ["ana"], generous).num_known_sentences == 0


def test_what_no_split_used_or_a_check_left_out_stays_unused() -> None:
    table = table_of(("ana", "other", "a"), ("ana", "train", "b"), ("bo", "train", "c"), ("bo", "dev", "d"))
    table.loc[2, "included"] = False
    table = pd.concat([table, table_of(("cy", "train", "e"))], ignore_index=True)
    table["utterance_id"] = [f"v{number}" for number in range(len(table))]
    left = leave_out(table, ["ana"], SETTINGS)
    assert splits_of(left.table) == ["other", "test", "other", "dev", "train"]


def test_leaving_out_all_who_are_learnt_from_is_refused() -> None:
    table = table_of(("ana", "train", "a"), ("bo", "dev", "b"))
    with pytest.raises(CorpusError, match="no training speech left"):
        leave_out(table, ["ana"], SETTINGS)


def test_speakers_without_a_name_and_lone_speakers_are_refused() -> None:
    with pytest.raises(CorpusError, match=r"Nobody says who speaks in 1 of 2 utterances, such as 'u1'"):
        named_speakers(table_of(("ana", "train", "a"), ("", "dev", "b")))
    with pytest.raises(CorpusError, match="has 1 speaker, and leaving one out takes two"):
        named_speakers(table_of(("ana", "train", "a")))
    assert named_speakers(table_of(("bo", "train", "a"), ("ana", "dev", "b"), ("", "other", "c"))) == {
        "ana": 2.0, "bo": 2.0,
    }  # fmt: skip


def test_groups_of_speakers_have_about_equal_amounts() -> None:
    seconds = {"a": 10.0, "b": 6.0, "c": 5.0, "d": 4.0, "e": 1.0}
    # 10 | 6 -> 10 | 11 -> 14 | 11 -> 14 | 12
    assert group_speakers(seconds, 2) == [("a", "d"), ("b", "c", "e")]
    assert group_speakers(seconds, 5) == [("a",), ("b",), ("c",), ("d",), ("e",)]
