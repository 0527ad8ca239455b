"""audit as a stage: transcripts from a reader or from a prepared corpus, and what it says of real ones."""

import json
from pathlib import Path

import pytest

from lowres.errors import CorpusError, RecipeError
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.recipe import Recipe, load_recipe, parse_recipe
from lowres.stages.audit import AUDIT_FILE, audit
from lowres.text.audit_findings import Finding, FindingKind, OrthographyAudit
from lowres.text.rules import parse_rules


def write_recordings(folder: Path, **transcripts: str) -> Path:
    """Write files that only look like recordings, with transcripts beside them: no audio may be decoded."""
    folder.mkdir(parents=True)
    for name, text in transcripts.items():
        (folder / f"{name}.wav").write_bytes(b"no audio")
        (folder / f"{name}.txt").write_text(text, encoding="utf-8", errors="surrogateescape")
    return folder


def recipe(folder: Path, extra: str = "") -> Recipe:
    return parse_recipe(f'name = "tiny"\n[corpus]\nfolder = "{folder.as_posix()}"\n{extra}')


def found(audited: OrthographyAudit, kind: FindingKind) -> Finding:
    finding = audited.finding(kind)
    assert finding is not None, f"no {kind}"
    return finding


def test_transcripts_are_audited_as_written_without_decoding_audio(tmp_path: Path) -> None:
    folder = write_recordings(tmp_path / "recordings", a="Twεrε [na] 13!", b="twere")
    result = audit(tmp_path / "project", recipe(folder))
    assert not result.from_prepared
    assert result.source == folder
    assert {use.grapheme for use in result.audit.graphemes} >= {"T", "[", "1", "ε"}
    assert found(result.audit, "mixed-scripts").items[0].examples[0].utterance_id == "a"


def test_the_audit_is_written_as_json_in_a_stable_order(tmp_path: Path) -> None:
    folder = write_recordings(tmp_path / "recordings", a="Twεrε “na” 13!", b="twere a\u200bb")
    path = audit(tmp_path / "project", recipe(folder)).path
    assert path == tmp_path / "project" / AUDIT_FILE
    first = path.read_bytes()
    audit(tmp_path / "project", recipe(folder))
    assert path.read_bytes() == first
    data = json.loads(first)
    assert data["format_version"] == 1
    assert data["num_utterances"] == 2
    assert "ε" in first.decode("utf-8")
    parse_rules(data["rules"])


def test_the_recipe_says_what_is_declared_and_done_already(tmp_path: Path) -> None:
    folder = write_recordings(tmp_path / "recordings", a="Bana, ca", b="Bana.")
    rules = '[text]\nrules = ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]\nalphabet = "a b n z"'
    audited = audit(tmp_path / "project", recipe(folder, rules)).audit
    assert [item.what for item in found(audited, "undeclared").items] == ["c"]
    assert [item.what for item in found(audited, "unused").items] == ["z"]
    assert all(suggestion.in_recipe for suggestion in audited.suggestions)


def test_a_prepared_corpus_of_this_recipe_is_read_from_its_manifest(tmp_path: Path) -> None:
    project = tmp_path / "project"
    table = table_from_rows([UtteranceRow("u1", "a.wav", raw_text="Bána.", split="train")])
    write_corpus(project / "corpus", table, CorpusInfo(name="tiny", recipe_name="tiny"))
    result = audit(project, recipe(tmp_path / "nowhere"))
    assert result.from_prepared
    assert [mark.mark for mark in result.audit.marks] == ["\u0301"]


def test_a_corpus_that_another_recipe_prepared_is_not_read(tmp_path: Path) -> None:
    project = tmp_path / "project"
    table = table_from_rows([UtteranceRow("u1", "a.wav", raw_text="Bána.", split="train")])
    write_corpus(project / "corpus", table, CorpusInfo(name="other", recipe_name="other"))
    folder = write_recordings(tmp_path / "recordings", a="ta")
    assert not audit(project, recipe(folder)).from_prepared


def test_where_there_is_nothing_to_read_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="There is no corpus folder"):
        audit(tmp_path, recipe(tmp_path / "nowhere"))
    with pytest.raises(RecipeError, match="names no corpus"):
        audit(tmp_path, parse_recipe('name = "tiny"'))
    with pytest.raises(CorpusError, match="nothing to audit"):
        audit(tmp_path, recipe(write_recordings(tmp_path / "empty", a=" ", b="")))
    untranscribed = '[corpus.reader]\nreader = "recordings"'
    with pytest.raises(CorpusError, match="no transcripts"):
        audit(tmp_path, recipe(write_recordings(tmp_path / "bare", a="x"), untranscribed))


@pytest.fixture
def audited(request: pytest.FixtureRequest, corpora_folder: Path, tmp_path: Path, monkeypatch) -> OrthographyAudit:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LOWRES_CORPORA", str(corpora_folder))
    return audit(tmp_path, load_recipe(request.param)).audit


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.parametrize("audited", ["mboshi"], indirect=True)
def test_mboshi_has_greek_letters_among_latin_ones(audited: OrthographyAudit) -> None:
    finding = found(audited, "mixed-scripts")
    assert "Greek letters among Latin ones" in finding.sentence
    assert {item.what: item.count for item in finding.items} == {"ω": 2490, "έ": 1680, "ε": 1411, "ώ": 1370}
    assert audited.finding("look-alikes") is None
    assert all(suggestion.in_recipe for suggestion in audited.suggestions)
    assert [mark.meaning for mark in audited.marks] == ["acute: usually high tone"]


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.parametrize("audited", ["yoruba"], indirect=True)
def test_yoruba_has_words_with_and_without_their_marks(audited: OrthographyAudit) -> None:
    finding = found(audited, "bare-and-marked")
    assert finding.num_items > 90
    assert finding.num_utterances > 900
    spelled = {item.what: item.remark for item in finding.items}
    assert spelled["ba"] == "bá 108, ba 55, bà 5"
    assert {item.what for item in found(audited, "look-alikes").items} == {"ί", "ὸ"}
    assert {"map": {"ί": "í", "ὸ": "ò"}} in [suggestion.step for suggestion in audited.suggestions]
    assert {mark.mark for mark in audited.marks} == {"\u0323", "\u0301", "\u0300"}


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.parametrize("audited", ["swahili"], indirect=True)
def test_swahili_has_digits_and_capitals(audited: OrthographyAudit) -> None:
    assert found(audited, "digits").num_utterances == 151
    capitals = found(audited, "capitals")
    assert capitals.num_utterances == 461
    assert "453 begin with one" in capitals.sentence
    assert audited.finding("mixed-scripts") is None
    assert audited.marks == ()


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.parametrize("audited", ["east_tusom"], indirect=True)
def test_tusom_has_tie_bars_tone_marks_and_stray_symbols(audited: OrthographyAudit) -> None:
    marks = {mark.mark: mark for mark in audited.marks}
    assert marks["\u0361"].count == 335
    assert (marks["\u0301"].count, marks["\u0300"].count) == (7, 3)
    assert [mark for mark in marks if marks[mark].tone] == ["\u0301", "\u0300"]
    assert {item.what: item.count for item in found(audited, "stray-symbols").items} == {
        '"': 12,
        "\\": 6,
        "1": 6,
        "D": 6,
    }
    assert {"delete": ["\\x1D"]} in [suggestion.step for suggestion in audited.suggestions]
    assert audited.finding("mixed-scripts") is None
