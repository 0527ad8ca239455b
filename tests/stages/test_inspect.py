"""inspect as a stage: from a prepared corpus to a page whose recordings play."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from html_pages import Page, check_accessible, check_alone

from lowres.audio.shards import ShardWriter
from lowres.errors import CorpusError
from lowres.manifest.checks import read_checks, write_checks
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.findings import CheckResult
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.recipe import Recipe, load_recipe, parse_recipe
from lowres.stages.audit import audit
from lowres.stages.embed_clips import embed_clips
from lowres.stages.inspect import DATA_FOLDER, ORTHOGRAPHY_FOLDER, inspect_corpus
from lowres.stages.prepare import PrepareOptions, prepare

RECIPE = parse_recipe('name = "tiny"\n[corpus]\nfolder = "x"\n[corpus.reader]\nreader = "annotated"\n')


def write_prepared(folder: Path) -> Path:
    """Two utterances of 1 s and 30 s and one without audio, in a shard; a check names all three."""
    (folder / "shards").mkdir(parents=True)
    lengths = [16_000, 480_000, 0]
    with ShardWriter(folder / "shards" / "part-00000.pcm") as shard:
        for length in lengths:
            shard.append(np.arange(length).astype(np.int16))
        digest = shard.finish()
    rows = [
        UtteranceRow(f"a/tx@Ana/{i}-{i + 1}", "a.wav", speaker="Ana", split="train", raw_text="ba <script> ná")
        for i in range(3)
    ]
    table = table_from_rows(rows).assign(
        num_samples=lengths, offset_samples=[0, 16_000, 0], shard=["part-00000.pcm", "part-00000.pcm", ""]
    )
    table["duration_seconds"] = table["num_samples"] / 16_000
    ids = table["utterance_id"].tolist()
    write_checks(folder, [CheckResult("pace", "warn", ids, ["fast", "slow", 'a "quoted"\ttab'], "")])
    write_corpus(folder, table, CorpusInfo(name="tiny", recipe_name="tiny", shard_sha256={"part-00000.pcm": digest}))
    return folder


def test_what_was_found_can_be_heard_and_long_ones_are_cut(tmp_path: Path) -> None:
    write_prepared(tmp_path / "corpus")
    result = inspect_corpus(tmp_path, RECIPE)
    source = result.page.read_text(encoding="utf-8")
    check_alone(Page(source), source)
    check_accessible(Page(source))
    assert result.page == tmp_path / DATA_FOLDER / "report.html"
    assert result.num_embedded == 2
    sounds = [base64.b64decode(data) for data in re.findall(r'src="data:audio/[a-z]+;base64,([^"]+)"', source)]
    lengths = sorted(soundfile.info(io.BytesIO(sound)).duration for sound in sounds)
    assert lengths == pytest.approx([1.0, 20.0], abs=0.2)


def test_the_page_can_be_had_without_recordings(tmp_path: Path) -> None:
    write_prepared(tmp_path / "corpus")
    result = inspect_corpus(tmp_path, RECIPE, with_recordings=False)
    assert result.num_embedded == 0
    assert "<audio" not in result.page.read_text(encoding="utf-8")


def test_tiers_are_named_without_their_speakers_where_the_layout_has_some(tmp_path: Path) -> None:
    write_prepared(tmp_path / "corpus")
    assert [tier.name for tier in inspect_corpus(tmp_path, RECIPE).contents.tiers] == ["tx"]
    files = parse_recipe('name = "tiny"\n[corpus]\nfolder = "x"\n')
    assert inspect_corpus(tmp_path, files).contents.tiers == ()


def test_another_prepared_corpus_has_a_report_of_its_own(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path / "corpora" / "second")
    result = inspect_corpus(tmp_path / "project", RECIPE, folder=folder)
    assert result.page == tmp_path / "project" / "reports" / "data-second" / "report.html"
    own = write_prepared(tmp_path / "yoruba" / "corpus")
    result = inspect_corpus(tmp_path / "project", RECIPE, folder=own)
    assert result.page == tmp_path / "project" / "reports" / "data-yoruba" / "report.html"


def test_without_a_prepared_corpus_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no prepared corpus"):
        inspect_corpus(tmp_path, RECIPE)


def test_checks_are_read_as_they_were_written(tmp_path: Path) -> None:
    checks = read_checks(write_prepared(tmp_path / "corpus"))
    assert checks is not None
    assert checks["detail"].tolist() == ["fast", "slow", 'a "quoted"\ttab']
    assert read_checks(tmp_path) is None
    (tmp_path / "checks.tsv").write_text("something else\n")
    with pytest.raises(CorpusError, match="not a table written by lowres"):
        read_checks(tmp_path)


def test_an_utterance_that_is_not_there_or_has_no_audio_is_passed_over(tmp_path: Path) -> None:
    folder = write_prepared(tmp_path / "corpus")
    table = table_from_rows([UtteranceRow("silent", "a.wav")])
    assert embed_clips(folder, table, ["silent", "nobody"]) == {}


def test_the_audit_and_the_data_report_link_to_each_other_in_either_order(tmp_path: Path) -> None:
    for name, steps in (("one", (inspect_corpus, audit)), ("two", (audit, inspect_corpus))):
        write_prepared(tmp_path / name / "corpus")
        for step in steps:
            step(tmp_path / name, RECIPE)  # type: ignore[operator]
        data = (tmp_path / name / DATA_FOLDER / "report.html").read_text(encoding="utf-8")
        letters = (tmp_path / name / ORTHOGRAPHY_FOLDER / "report.html").read_text(encoding="utf-8")
        assert 'href="../orthography/report.html"' in data
        assert 'href="../data/report.html"' in letters


def test_words_of_the_audit_are_heard_from_files_that_were_not_prepared(tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    soundfile.write(recordings / "a.wav", 0.1 * np.random.default_rng(1).standard_normal(8_000), 8_000)
    (recordings / "b.wav").write_bytes(b"no audio")
    for name in "ab":
        (recordings / f"{name}.txt").write_text(f"Bá {name}", encoding="utf-8")
    recipe = parse_recipe(f'name = "tiny"\n[corpus]\nfolder = "{recordings.as_posix()}"\n')
    result = audit(tmp_path / "project", recipe)
    assert result.num_embedded == 1
    source = result.page.read_text(encoding="utf-8")
    check_alone(Page(source), source)
    check_accessible(Page(source))


def prepared_project(project: Path, name: str) -> Recipe:
    recipe = load_recipe(name)
    prepare(project, recipe, PrepareOptions(num_workers=1), lambda _step, _done, _total: None)
    return recipe


@pytest.mark.slow
@pytest.mark.corpora
def test_sarawak_malay_lists_its_grids_without_recordings(
    corpora_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWRES_CORPORA", str(corpora_folder))
    recipe = prepared_project(tmp_path, "sarawak_malay")
    contents = inspect_corpus(tmp_path, recipe).contents
    assert contents.num_unread == 28
    assert [(reason.reason, reason.num_places) for reason in contents.unread] == [("has no recording", 28)]
    assert [tier.name for tier in contents.tiers] == ["Sarawak"]
    assert contents.num_speakers == 9
    audited = audit(tmp_path, recipe)
    for page in (tmp_path / DATA_FOLDER / "report.html", audited.page):
        source = page.read_text(encoding="utf-8")
        check_alone(Page(source), source)
        check_accessible(Page(source))
