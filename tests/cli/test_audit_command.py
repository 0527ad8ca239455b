"""`lowres audit` through the command line."""

import tomllib
from pathlib import Path

import pytest
from rich.text import Text
from typer.testing import CliRunner, Result

from lowres.cli.app import app
from lowres.cli.audit import plain
from lowres.text.rules import parse_rules


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_project(project: Path, *texts: str) -> Path:
    recordings = project / "recordings"
    recordings.mkdir(parents=True)
    for number, text in enumerate(texts):
        (recordings / f"u{number}.wav").write_bytes(b"no audio")
        (recordings / f"u{number}.txt").write_text(text, encoding="utf-8")
    (project / "lowres.toml").write_text('name = "tiny"\n[corpus]\nfolder = "recordings"\n', encoding="utf-8")
    return project


def suggested(output: str) -> list[object]:
    block = output[output.index("[text]\nrules") :]
    rules: list[object] = tomllib.loads(block[: block.index("\n]\n") + 3])["text"]["rules"]
    return rules


def test_the_audit_says_what_it_found_and_ends_with_the_next_command(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Twεrε mwásí, 13.", "Ba [na] “to”.")
    result = run("audit", "--project", project)
    assert result.exit_code == 0, result.output
    assert "Mixed scripts" in result.output
    assert "Greek letters among Latin ones: ε" in result.output
    assert "[na]" in result.output
    assert "acute: usually high tone" in result.output
    assert result.output.rstrip().splitlines()[-1].startswith("next: ")
    assert "lowres prepare --project" in result.output
    assert (project / "reports" / "orthography" / "audit.json").is_file()


def test_the_suggested_rules_can_be_pasted_into_the_recipe(tmp_path: Path) -> None:
    project = write_project(tmp_path, *["Ní ilé."] * 60, 'nί "x\\x1Dy" a\u200bb')
    result = run("audit", "--project", project)
    rules = suggested(result.output)
    assert rules == [
        "nfc",
        "remove_invisible",
        {"delete": ["\\x1D"]},
        {"map": {"ί": "í"}},
        "lowercase",
        "strip_punctuation",
        "collapse_spaces",
    ]
    parse_rules(rules)
    recipe = project / "lowres.toml"
    block = result.output[result.output.index("[text]\nrules") :]
    recipe.write_text(recipe.read_text(encoding="utf-8") + block[: block.index("\n]\n") + 3], encoding="utf-8")
    again = run("audit", "--project", project)
    assert "the recipe has all that is suggested" in again.output


def test_nothing_is_changed_in_recipe_or_transcripts(tmp_path: Path) -> None:
    project = write_project(tmp_path, "Twεrε.")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    run("audit", "--project", project)
    assert {path: path.read_bytes() for path in before} == before


def test_letters_lists_every_grapheme_with_its_name(tmp_path: Path) -> None:
    project = write_project(tmp_path, "ŋa")
    assert "LATIN SMALL LETTER ENG" in run("audit", "--project", project, "--letters").output
    assert "LATIN SMALL LETTER ENG" not in run("audit", "--project", project).output


def test_control_characters_are_named_and_markup_stays_text(tmp_path: Path) -> None:
    project = write_project(tmp_path, "ba\u202ena [bold red]ta[/] \x1b[31mx", "\u0301ba na")
    result = run("audit", "--project", project, "--letters")
    assert result.exit_code == 0
    assert not set(result.output) & {"\u202e", "\x1b"}
    assert "U+202E" in result.output
    assert "U+001B" in result.output


def test_text_is_shown_safely_and_not_at_any_length() -> None:
    assert plain("\u0301") == "\u25cc\u0301"
    assert plain("\u200ba\ud800") == "U+200BaU+D800"
    assert len(plain("a" * 500)) < 60
    assert Text(plain("[bold]")).plain == "[bold]"


@pytest.mark.parametrize("recipe", ['name = "tiny"\n[corpus]\nfolder = "nowhere"\n', 'name = "tiny"\n'])
def test_where_there_is_nothing_to_read_the_status_is_2(tmp_path: Path, recipe: str) -> None:
    (tmp_path / "lowres.toml").write_text(recipe, encoding="utf-8")
    result = run("audit", "--project", tmp_path)
    assert result.exit_code == 2
    assert "error:" in result.output
