"""What `lowres align --corpus` found comes back from its file, for as long as it is about the same utterance."""

from pathlib import Path

import pandas as pd
import pytest
from manifest_tables import make_table

from lowres.errors import CorpusError
from lowres.manifest.checks import CheckInputs, apply_checks, run_checks
from lowres.manifest.findings import CheckResult
from lowres.manifest.misfits import MISFITS_FILE, Misfits, MisfitsPlace, check_misfits, write_misfits
from lowres.manifest.settings import CheckSettings
from lowres.report.data_checks import CHECK_WORDS

TEXTS = ("one", 'with "marks"\tand tabs', "three\nlines", "=SUM(A1)", "five")
FITS = (0.5, 0.01, 0.03, 0.9, 0.02)


def misfits(limit: float = 0.02, prefix: str = "") -> Misfits:
    ids = tuple(f"{prefix}u{number}" for number in range(5))
    return Misfits(ids, TEXTS, (1.0,) * 5, tuple(f"heard {text}" for text in TEXTS), FITS, limit)


def table(*texts: str) -> pd.DataFrame:
    made = make_table(texts or TEXTS)
    return made.assign(text=made["raw_text"], num_samples=16_000, duration_seconds=1.0)


def check(project: Path, rows: pd.DataFrame, prefix: str = "") -> CheckResult:
    return check_misfits(rows, MisfitsPlace(project, prefix))


def test_the_worst_come_first_and_all_that_fit_up_to_the_limit_are_bad(tmp_path: Path) -> None:
    assert misfits().bad == [1, 4]
    assert misfits(0.03).bad == [1, 4, 2]
    assert misfits(0.0).bad == []
    written = write_misfits(tmp_path, misfits()).read_text(encoding="utf-8-sig").splitlines()
    assert written[0].split("\t")[:3] == ["utterance_id", "seconds", "fit"]
    assert written[1].startswith("u1\t1.000\t0.0100\tfits no better")


def test_what_was_written_is_found_again_whatever_the_texts_hold(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits(1.0))
    found = check(tmp_path, table())
    assert (found.name, found.severity, found.utterance_ids) == ("misfit", "warn", ["u0", "u1", "u2", "u3", "u4"])
    assert found.details == [f"heard: heard {text}" for text in TEXTS]
    assert "5 utterances" in found.sentence


def test_a_transcript_that_was_corrected_since_is_not_accused(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits())
    assert check(tmp_path, table()).utterance_ids == ["u1", "u4"]
    corrected = table(TEXTS[0], "something else", *TEXTS[2:])
    assert check(tmp_path, corrected).utterance_ids == ["u4"]


def test_an_utterance_whose_times_were_corrected_since_is_not_accused(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits())
    rows = table()
    rows.loc[1, "duration_seconds"] = 1.25
    assert check(tmp_path, rows).utterance_ids == ["u4"]


def test_utterances_that_are_gone_and_new_ones_are_no_problem(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits(1.0))
    assert check(tmp_path, table("one")).utterance_ids == ["u0"]
    assert check(tmp_path, table(*TEXTS, "new")).utterance_ids == ["u0", "u1", "u2", "u3", "u4"]
    assert check(tmp_path, table().iloc[:0]).utterance_ids == []


def test_of_a_joined_corpus_each_part_knows_its_own(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits(prefix="first/"))
    assert check(tmp_path, table(), "first/").utterance_ids == ["u1", "u4"]
    assert check(tmp_path, table(), "second/").utterance_ids == []
    assert check(tmp_path, table()).utterance_ids == []


def test_without_the_file_nothing_is_found(tmp_path: Path) -> None:
    assert check(tmp_path, table()) == CheckResult("misfit", "warn", [], [], "")


@pytest.mark.parametrize(
    "contents", [b"", b"a\tb\n", b"\xff\xfe", b"utterance_id\tseconds\tfit\tverdict\ttext\theard\nx\n\n"]
)
def test_a_file_that_something_else_wrote_is_refused_with_a_remedy(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / MISFITS_FILE).write_bytes(contents)
    if contents.startswith(b"utterance_id"):
        assert check(tmp_path, table()).utterance_ids == []
        return
    with pytest.raises(CorpusError) as caught:
        check(tmp_path, table())
    assert "lowres align --corpus" in caught.value.hint


def test_misfits_are_flagged_and_left_out_only_where_that_is_asked_for(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits())
    for drop, included in (((), [True] * 5), (("misfit",), [True, False, True, True, False])):
        results = run_checks(table(), CheckInputs(misfits=MisfitsPlace(tmp_path)), CheckSettings(drop=drop))
        marked = apply_checks(table(), results)
        assert ["misfit" in flags.split(",") for flags in marked["flags"]] == [False, True, False, False, True]
        assert marked["included"].tolist() == included


def test_recordings_without_transcripts_are_not_looked_at(tmp_path: Path) -> None:
    write_misfits(tmp_path, misfits())
    results = run_checks(table(), CheckInputs(misfits=MisfitsPlace(tmp_path), is_transcribed=False), CheckSettings())
    assert "misfit" not in {result.name for result in results}


def test_the_data_report_has_words_for_it() -> None:
    assert "lowres align --corpus" in CHECK_WORDS["misfit"].meaning
