"""Every check names its offenders and nobody else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from manifest_tables import make_table

from lowres.manifest.checks import CheckInputs, apply_checks, run_checks, write_checks
from lowres.manifest.findings import CheckResult
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.settings import CHECK_NAMES, CheckSettings
from lowres.manifest.text_checks import check_shared_sentences, check_too_short_for_ctc


def measures(num_rows: int, **changes: list[object]) -> pd.DataFrame:
    """Make measures of good recordings, with some columns changed."""
    good = {
        "loudest_dbfs": [-12.0] * num_rows,
        "clipped_share": [0.0] * num_rows,
        "bandwidth_hz": [8000.0] * num_rows,
        "audio_hash": [f"{n}" for n in range(num_rows)],
    }
    return pd.DataFrame(good | changes)


def offenders(table: pd.DataFrame, name: str, **inputs: object) -> list[str]:
    results = run_checks(table, CheckInputs(**inputs), CheckSettings())  # type: ignore[arg-type]
    return next(result.utterance_ids for result in results if result.name == name)


def test_good_utterances_are_accused_of_nothing() -> None:
    table = make_table(["one", "two", "three"])
    results = run_checks(table, CheckInputs(measures=measures(3), alphabet="onetwhr"), CheckSettings())
    assert [result.name for result in results if result.utterance_ids or result.sentence] == []
    assert {result.name for result in results} <= set(CHECK_NAMES)


def test_unreadable_recordings_are_named_with_the_reason_and_not_called_empty_too() -> None:
    table = make_table(["a", "b"], seconds=[0.0, 1.0])
    unreadable, empty, *_ = run_checks(table, CheckInputs(unreadable={"u0": "not audio"}), CheckSettings())
    assert (unreadable.utterance_ids, unreadable.details) == (["u0"], ["not audio"])
    assert empty.utterance_ids == []


def test_empty_audio_is_found() -> None:
    assert offenders(make_table(["a", "b", "c"], seconds=[0.0, 0.09, 0.1]), "empty-audio") == ["u0", "u1"]


def test_silence_is_found() -> None:
    table = make_table(["a", "b"])
    assert offenders(table, "silent", measures=measures(2, loudest_dbfs=[-120.0, -20.0])) == ["u0"]


def test_clipping_is_found() -> None:
    table = make_table(["a", "b"])
    assert offenders(table, "clipped", measures=measures(2, clipped_share=[0.004, 0.02])) == ["u1"]


def test_telephone_speech_is_found_and_silence_is_not_called_that() -> None:
    table = make_table(["a", "b", "c"])
    assert offenders(table, "band-limited", measures=measures(3, bandwidth_hz=[4000.0, 0.0, 8000.0])) == ["u0"]


def test_long_utterances_are_found() -> None:
    assert offenders(make_table(["a", "b"], seconds=[25.0, 25.1]), "too-long") == ["u1"]


def conversation(*times: tuple[float, float]) -> pd.DataFrame:
    rows = [UtteranceRow(f"u{n}", "talk.wav", start, end, raw_text="a") for n, (start, end) in enumerate(times)]
    return table_from_rows(rows)


def test_speech_during_other_speech_of_a_recording_is_found_on_both_sides() -> None:
    table = conversation((0.0, 5.0), (1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (5.98, 7.0))
    assert offenders(table, "overlapping-speech", channels=[None] * 5) == ["u0", "u1", "u2"]


def test_two_channels_are_two_microphones() -> None:
    table = conversation((0.0, 5.0), (1.0, 2.0))
    assert offenders(table, "overlapping-speech", channels=[0, 1]) == []


def test_padding_makes_no_overlap() -> None:
    table = conversation((0.0, 5.2), (4.8, 9.0), (8.5, 12.0))
    inputs = {"channels": [None] * 3, "padding_seconds": 0.2}
    assert offenders(table, "overlapping-speech", **inputs) == ["u1", "u2"]


def test_the_same_audio_twice_is_found_and_another_text_is_pointed_out() -> None:
    table = make_table(["a", "a", "b", "c", "d"])
    inputs = CheckInputs(measures=measures(5, audio_hash=["x", "x", "x", "", ""]))
    result = next(r for r in run_checks(table, inputs, CheckSettings()) if r.name == "duplicate-audio")
    assert result.utterance_ids == ["u1", "u2"]
    assert result.details == ["same audio as u0", "same audio as u0, with another text"]
    assert "1 of them with another transcript" in result.sentence


def test_empty_text_is_found() -> None:
    table = make_table(["a", "", "  "])
    result = next(r for r in run_checks(table, CheckInputs(), CheckSettings()) if r.name == "empty-text")
    assert (result.utterance_ids, result.severity) == (["u1", "u2"], "drop")


def test_undeclared_symbols_are_counted() -> None:
    table = make_table(["aba", "a-b", "x–x–", "tsa"])
    inputs = CheckInputs(alphabet=["a", "b", "ts"], list_undeclared=lambda text: [c for c in text if c not in "abts"])
    result = next(r for r in run_checks(table, inputs, CheckSettings()) if r.name == "undeclared-symbols")
    assert result.utterance_ids == ["u1", "u2"]
    assert result.details == ["- x1", "x x2 – x2"]
    assert "x (2), – (2), - (1)" in result.sentence


def test_letters_that_mean_something_to_regular_expressions_may_be_declared() -> None:
    table = make_table(["a^b", "a]b", "a-b", "a\\b"])
    assert offenders(table, "undeclared-symbols", alphabet=list("ab^]-\\"), list_undeclared=list) == []


def test_no_alphabet_declares_nothing_undeclared() -> None:
    assert offenders(make_table(["anything"]), "undeclared-symbols", list_undeclared=list) == []


def test_ctc_needs_a_frame_for_each_token_and_a_blank_between_equal_ones() -> None:
    # "aa": 2 tokens and 1 repeat need 3 frames (a, blank, a); icefall #135: 34 frames, 33 tokens, still infinite.
    table = make_table(["aa", "aa", "ab", "long"])
    result = check_too_short_for_ctc(table, np.array([2, 3, 2, 34]), np.array([2, 2, 2, 33]), np.array([1, 1, 0, 2]))
    assert result.utterance_ids == ["u0", "u3"]
    assert result.details == ["2 frames for 2 tokens and 1 repeats", "34 frames for 33 tokens and 2 repeats"]
    assert result.severity == "drop"


def test_far_too_fast_and_far_too_slow_are_found() -> None:
    texts = ["x" * (20 + n % 5) for n in range(40)] + ["x" * 90, "x" * 6]
    table = make_table(texts, seconds=[2.0] * 42)
    assert offenders(table, "pace") == ["u40", "u41"]


def test_pace_is_not_judged_on_a_handful() -> None:
    assert offenders(make_table(["x", "x" * 90], seconds=[2.0, 2.0]), "pace") == []


def test_a_repeated_sentence_is_found_per_speaker() -> None:
    table = make_table(["Yes", "yes ", "yes", "", ""], speakers=["a", "a", "b", "a", "a"])
    assert offenders(table, "duplicate-text") == ["u1"]


def test_sentences_of_train_in_test_and_dev_are_found() -> None:
    table = make_table(["a", "A", "a", "b", ""], splits=["train", "test", "dev", "test", "train"])
    result = check_shared_sentences(table)
    assert (result.utterance_ids, result.details) == (["u1", "u2"], ["in test and in train", "in dev and in train"])


def test_dropped_utterances_are_marked_and_excluded_and_warned_ones_only_marked() -> None:
    table = make_table(["a", "b", "c"]).assign(flags=["", "clipped", ""])
    results = [
        CheckResult("silent", "drop", ["u0"], ["x"], "s"),
        CheckResult("too-long", "warn", ["u0", "u1"], ["x", "y"], "s"),
        CheckResult("clipped", "warn", ["u1"], ["y"], "s"),
    ]
    marked = apply_checks(table, results)
    assert marked["flags"].tolist() == ["silent;too-long", "clipped;too-long", ""]
    assert marked["included"].tolist() == [False, True, True]
    assert table["included"].all()


def test_a_recipe_may_drop_what_only_warns() -> None:
    table = make_table(["a", "b"], seconds=[30.0, 1.0])
    results = run_checks(table, CheckInputs(), CheckSettings(drop=("too-long",)))
    assert apply_checks(table, results)["included"].tolist() == [False, True]


def test_sentences_name_some_offenders_and_count_them_all() -> None:
    table = make_table([""] * 5)
    result = next(r for r in run_checks(table, CheckInputs(), CheckSettings()) if r.name == "empty-text")
    assert result.sentence == "5 utterances: no text is left to train on (u0, u1, u2, ...). Left out."


def test_checks_tsv_has_a_line_for_each_check_and_offender(tmp_path: Path) -> None:
    path = write_checks(tmp_path, [CheckResult("silent", "drop", ["u0"], ['a "b"\tc'], "s")])
    assert path.read_text(encoding="utf-8-sig").splitlines() == [
        "check\tseverity\tutterance_id\tdetail",
        'silent\tdrop\tu0\t"a ""b""\tc"',
    ]


@pytest.mark.parametrize("wrong", [{"drop": ("typo",)}, {"min_seconds": 30.0}, {"max_pace_ratio": 1.0}])
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"check|seconds|ratio"):
        CheckSettings(**wrong)  # type: ignore[arg-type]
