"""The data report: its figures by hand, its page whole, safe and usable by keyboard."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from html_pages import Page, check_accessible, check_alone

from lowres.manifest.checks import CHECKS_COLUMNS
from lowres.manifest.corpus import CorpusInfo, PreparedCorpus
from lowres.manifest.overlap import count_overlap
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.settings import CHECK_NAMES
from lowres.report.data_checks import CHECK_WORDS, SKIPPED
from lowres.report.data_contents import DataContents
from lowres.report.data_figures import MOST_OFFENDERS, checks_from_flags, gather_data
from lowres.report.data_page import data_json, render_data_page, write_data_report

EVIL = '<script>alert(1)</script><img src=x onerror="alert(1)"> \u202e & </bdi>'


def make_corpus(num: int = 12, *, text: str = "bána na ilé", transcribed: bool = True) -> PreparedCorpus:
    """Twelve utterances of 2 s: two speakers and a nameless one; the last utterance is left out."""
    rows = [
        UtteranceRow(
            f"f{i}/tx/{i}",
            f"f{i}.wav",
            end_seconds=2.0,
            speaker=("Ana", "Ben", "")[i % 3],
            split=("train", "train", "dev", "test")[i % 4],
            raw_text=f"{text} {i}",
            language="yor",
        )
        for i in range(num)
    ]
    table = table_from_rows(rows)
    table["included"] = [True] * (num - 1) + [False]
    table["flags"] = [""] * (num - 1) + ["pace;too-short-for-ctc"]
    info = CorpusInfo(
        name="tiny", language="yor", consent="for research", transcribed=transcribed, overlap=count_overlap(table)
    )
    return PreparedCorpus(Path("corpus"), table, info)


def make_checks(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(CHECKS_COLUMNS), dtype="str")


CHECKS = make_checks(
    ("skipped", "drop", "a.eaf", "has no recording (x.wav)"),
    ("skipped", "drop", "b.eaf", "has no recording (y.wav)"),
    ("pace", "warn", "f11/tx/11", "0.1 letters per second"),
    *(("duplicate-text", "warn", f"f{i}/tx/{i}", "same text") for i in range(10)),
    ("too-short-for-ctc", "drop", "f11/tx/11", "1 frames"),
)


def make_contents(**changes: object) -> DataContents:
    corpus = make_corpus()
    return replace(gather_data(corpus, CHECKS, tiers=["tx"] * 12), **changes)  # type: ignore[arg-type]


def test_hours_are_summed_by_split_tier_language_and_speaker() -> None:
    contents = make_contents()
    assert (contents.used.num_utterances, contents.used.seconds, contents.seconds) == (11, 22.0, 24.0)
    assert {amount.name: amount.seconds for amount in contents.splits} == {"train": 12.0, "dev": 6.0, "test": 4.0}
    assert [(tier.name, tier.seconds) for tier in contents.tiers] == [("tx", 22.0)]
    assert [(language.name, language.num_utterances) for language in contents.languages] == [("yor", 11)]
    assert {speaker.name: speaker.seconds for speaker in contents.speakers} == {"Ana": 8.0, "Ben": 8.0, "": 6.0}
    assert contents.num_speakers == 2
    assert contents.used.num_words == 44


def test_every_lost_utterance_is_lost_once_and_by_what_left_it_out() -> None:
    contents = make_contents()
    assert [(loss.check, loss.num_utterances, loss.seconds) for loss in contents.losses] == [
        ("too-short-for-ctc", 1, 2.0)
    ]
    assert contents.used.seconds + contents.lost_seconds == contents.seconds


def test_files_without_a_partner_are_listed_by_reason() -> None:
    contents = make_contents()
    assert [(one.reason, one.num_places, one.places) for one in contents.unread] == [
        ("has no recording", 2, ("a.eaf", "b.eaf"))
    ]
    text = Page(render_data_page(contents, {})).text
    assert "a.eaf" in text
    assert "b.eaf" in text


def test_examples_are_few_and_the_rest_is_counted() -> None:
    contents = make_contents()
    found = {one.check: one for one in contents.found}
    assert found["duplicate-text"].num_utterances == 10
    assert len(found["duplicate-text"].offenders) == MOST_OFFENDERS
    assert "and 4 more in checks.tsv" in Page(render_data_page(contents, {})).text
    assert contents.found[0].check == "too-short-for-ctc"


def test_each_check_has_its_turn_to_be_heard() -> None:
    first = make_contents().offenders()[:3]
    assert [offender.detail for offender in first] == ["1 frames", "same text", "0.1 letters per second"]


def test_every_check_has_words() -> None:
    assert set(CHECK_NAMES) <= set(CHECK_WORDS)
    assert SKIPPED in CHECK_WORDS


def test_a_corpus_without_checks_tsv_is_told_by_its_flags() -> None:
    checks = checks_from_flags(make_corpus().table)
    assert set(checks["check"]) == {"pace", "too-short-for-ctc"}
    assert set(checks["severity"]) == {"drop"}
    contents = gather_data(make_corpus(), None)
    assert contents.losses[0].num_utterances == 1
    page = Page(render_data_page(contents, {}))
    assert "became an utterance" not in page.text
    assert "in the manifest’s flags" in page.text
    assert "In checks.tsv" not in page.text
    assert page.text.count("this corpus has no checks.tsv") == 2
    assert "became an utterance" in Page(render_data_page(gather_data(make_corpus(), make_checks()), {})).text


def test_the_overlap_of_splits_names_the_speakers() -> None:
    shared = {(one.pair.first, one.pair.second): one.speakers for one in make_contents().overlaps}
    assert set(shared["train", "dev"]) == {"Ana", "Ben"}


def test_the_page_is_whole_alone_and_accessible() -> None:
    source = render_data_page(make_contents(), {"f11/tx/11": "data:audio/wav;base64,UklGRg=="})
    page = Page(source)
    check_alone(page, source)
    check_accessible(page)
    assert "for research" in page.text
    assert len(page.named("audio")) == 1
    assert page.text.count("Hear it") == 1


def test_transcripts_names_and_details_are_text_and_never_markup() -> None:
    corpus = make_corpus(text=EVIL)
    table = corpus.table.assign(speaker=EVIL)
    checks = make_checks(
        ("pace", "warn", "f1/tx/1", EVIL), (EVIL, "warn", "f2/tx/2", ""), ("skipped", "drop", EVIL, EVIL)
    )
    info = replace(corpus.info, name=EVIL, consent=EVIL, warnings=(EVIL,), language=EVIL)
    contents = gather_data(PreparedCorpus(corpus.folder, table, info), checks, tiers=[EVIL] * 12)
    source = render_data_page(contents, {"f1/tx/1": "data:audio/wav;base64,UklGRg=="})
    page = Page(source)
    check_alone(page, source)
    assert not page.named("img")
    assert "\u202e" not in source
    assert "<script>alert(1)</script>" in page.text


@pytest.mark.parametrize("transcribed", [True, False])
def test_a_corpus_of_one_nameless_recording_has_a_page(transcribed: bool) -> None:
    table = table_from_rows([UtteranceRow("a", "a.wav", split="train")])
    corpus = PreparedCorpus(Path("c"), table, CorpusInfo(name="tapes", transcribed=transcribed))
    page = Page(render_data_page(gather_data(corpus, make_checks()), {}))
    check_accessible(page)
    assert "Nobody said who speaks" in page.text


def test_a_corpus_of_which_nothing_can_be_used_has_a_page() -> None:
    corpus = make_corpus()
    table = corpus.table.assign(included=False)
    page = Page(render_data_page(gather_data(PreparedCorpus(corpus.folder, table, corpus.info), CHECKS), {}))
    assert "Nothing of this corpus can be used" in page.text


def test_the_page_stays_small_however_large_the_corpus_is() -> None:
    corpus = make_corpus(20_000)
    table = corpus.table.assign(speaker=[f"s{i}" for i in range(20_000)], language=[f"l{i}" for i in range(20_000)])
    checks = make_checks(
        *(("duplicate-text", "warn", name, "x") for name in table["utterance_id"]),
        *(("skipped", "drop", f"file{i}", f"reason {i % 50}") for i in range(20_000)),
    )
    contents = gather_data(PreparedCorpus(corpus.folder, table, corpus.info), checks)
    assert len(render_data_page(contents, {})) < 400_000
    assert sum(reason.num_places for reason in contents.unread) == 20_000
    assert sum(amount.num_utterances for amount in contents.languages) == 19_999


def test_the_figures_are_written_as_json_too(tmp_path: Path) -> None:
    contents = make_contents()
    write_data_report(tmp_path / "data", contents, {})
    data = json.loads((tmp_path / "data" / "report.json").read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(data_json(contents)))
    assert data["schema_version"] == 1
    assert data["used"]["seconds"] == 22.0
    assert (tmp_path / "data" / "report.html").is_file()
