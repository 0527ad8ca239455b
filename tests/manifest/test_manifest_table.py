"""manifest.tsv gives every text back exactly, or says what is wrong."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_tables import make_table

from lowres.errors import CorpusError
from lowres.manifest.schema import MANIFEST_COLUMNS, UtteranceRow, table_from_rows
from lowres.manifest.table import read_manifest, write_manifest

AWKWARD = ["a\tb", 'he said "no"', '"', "NA", "null", "nan", " leading", "trailing ", "", "a\nb", "a\r\nb", "a\rb", "ɛ́"]


def test_awkward_texts_come_back_exactly(tmp_path: Path) -> None:
    table = make_table(AWKWARD)
    write_manifest(table, tmp_path)
    pd.testing.assert_frame_equal(read_manifest(tmp_path), table)


def test_what_is_read_in_blocks_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = make_table(AWKWARD)
    write_manifest(table, tmp_path)
    monkeypatch.setattr("lowres.manifest.table._ROWS_AT_A_TIME", 2)
    pd.testing.assert_frame_equal(read_manifest(tmp_path), table)


def test_columns_that_are_asked_for_come_alone_with_id_and_split(tmp_path: Path) -> None:
    table = make_table(AWKWARD)
    write_manifest(table, tmp_path)
    expected = table[["utterance_id", "split", "num_samples", "text", "included"]]
    pd.testing.assert_frame_equal(read_manifest(tmp_path, ("text", "included", "num_samples")), expected)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=8))
def test_any_text_comes_back_exactly(tmp_path: Path, texts: list[str]) -> None:
    table = make_table(texts, speakers=texts)
    write_manifest(table, tmp_path)
    assert read_manifest(tmp_path).equals(table)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(min_value=0, max_value=1e9), st.integers(min_value=0, max_value=2**62))
def test_any_number_comes_back_exactly(tmp_path: Path, seconds: float, samples: int) -> None:
    table = make_table(["a"]).assign(duration_seconds=seconds, start_seconds=seconds, offset_samples=samples)
    write_manifest(table, tmp_path)
    assert read_manifest(tmp_path).equals(table)


def test_file_names_that_are_not_utf8_come_back(tmp_path: Path) -> None:
    table = make_table(["a"]).assign(audio_path=b"caf\xe9.wav".decode("utf-8", errors="surrogateescape"))
    write_manifest(table, tmp_path)
    assert read_manifest(tmp_path).equals(table)


def test_other_programs_read_the_same_cells(tmp_path: Path) -> None:
    write_manifest(make_table(AWKWARD), tmp_path)
    with (tmp_path / "manifest.tsv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["text"] for row in rows] == AWKWARD
    assert tuple(rows[0]) == MANIFEST_COLUMNS


def test_an_empty_table_comes_back(tmp_path: Path) -> None:
    write_manifest(make_table([]), tmp_path)
    assert len(read_manifest(tmp_path)) == 0


def test_a_failed_write_leaves_the_old_manifest_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(make_table(["old"]), tmp_path)

    def refuse(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(CorpusError, match="No space left on device"):
        write_manifest(make_table(["new"]), tmp_path)
    assert read_manifest(tmp_path)["text"].tolist() == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.tsv"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("utterance_id", "id", 1),
        lambda text: text.replace("\ttrue\n", "\tmaybe\n"),
        lambda text: text.replace("\ttrue\n", "\n"),
        lambda text: text.replace("\ttrue\n", "\ttrue\textra\n"),
        lambda text: text.replace("\t1.0\t", "\tone\t"),
        lambda text: text.replace("u1\t", "u0\t"),
        lambda text: text.replace("\ttext\t", "\ttext\ttext\t", 1),
        lambda text: "",
        lambda text: "\x00\x01\x02",
    ],
)
def test_a_damaged_manifest_is_refused_in_words(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    path = write_manifest(make_table(["one", "two"]), tmp_path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(CorpusError):
        read_manifest(tmp_path)


def test_a_missing_manifest_says_to_prepare(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_manifest(tmp_path)
    assert "lowres prepare" in caught.value.hint


def test_ids_used_twice_are_refused_by_name() -> None:
    with pytest.raises(CorpusError, match="'same'"):
        table_from_rows([UtteranceRow("same", "a.wav"), UtteranceRow("same", "b.wav")])


def test_empty_ids_are_refused() -> None:
    with pytest.raises(CorpusError, match="number 2 has no id"):
        table_from_rows([UtteranceRow("a", "a.wav"), UtteranceRow("", "b.wav")])


def test_unknown_splits_are_refused() -> None:
    with pytest.raises(CorpusError, match="'validation'"):
        table_from_rows([UtteranceRow("a", "a.wav", split="validation")])


def test_an_utterance_that_ends_before_it_starts_is_refused_by_name() -> None:
    with pytest.raises(CorpusError, match=r"'a'.*duration_seconds"):
        table_from_rows([UtteranceRow("a", "a.wav", start_seconds=2.0, end_seconds=1.0)])
