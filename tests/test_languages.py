"""Languages are found by name, by code and in spite of a slip of the pen; looking for none costs nothing."""

import subprocess
import sys

import pytest

from lowres.recipe.languages import GLOTTOLOG_FILE, find_by_code, search_languages


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("mdw", "Mbosi", "mbos1242"),
        ("mbos1242", "Mbosi", "mbos1242"),
        ("MBOSI", "Mbosi", "mbos1242"),
        ("Yorùbá", "Yoruba", "yoru1245"),
        ("swahili", "Swahili (individual language)", "swah1253"),
        ("kinyarwanda", "Kinyarwanda", "kiny1244"),
    ],
)
def test_a_language_is_found_by_name_or_code(query: str, name: str, code: str) -> None:
    first = search_languages(query)[0]
    assert (first.name, first.glottocode) == (name, code)


def test_a_misspelt_name_finds_what_is_spelt_alike() -> None:
    assert search_languages("Mboshi")[0].iso_639_3 == "mdw"


def test_a_dialect_has_the_code_of_its_language() -> None:
    (first, *_) = search_languages("Katanga Swahili")
    assert (first.glottocode, first.iso_639_3, first.part_of) == ("kata1266", "swc", "Congo Swahili")


def test_a_name_that_nobody_knows_finds_nothing() -> None:
    assert search_languages("qqxqqx") == []
    assert search_languages("  ") == []
    assert find_by_code("qqq") is None


def test_the_table_names_its_source_and_licence() -> None:
    head = GLOTTOLOG_FILE.read_text(encoding="utf-8")[:600]
    assert "Glottolog 4.0" in head
    assert "CC BY 4.0" in head


def test_the_tables_are_read_only_when_somebody_searches() -> None:
    code = "import sys, lowres.cli.app, lowres.recipe; print('iso639' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
