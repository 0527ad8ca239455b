"""The page of a pretraining run: what it says, that names stay text, and that a run may be in any state."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pretraining_runs import HOURS_PER_UPDATE, make_evaluation, make_events, make_record, make_step, write_run

from lowres.errors import CheckpointError, LowresError
from lowres.report.pretraining import write_pretraining_report
from lowres.report.pretraining_contents import consents_of, evidence_of
from lowres.report.pretraining_languages import held_out_languages, trained_languages
from lowres.report.pretraining_run import PretrainingRun, read_pretraining_run
from lowres.report.run_contents import settings_of

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every element closes, ids are unique, nothing acts; keeps the text and the addresses."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.named: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids))
        assert self.tags.isdisjoint({"script", "img", "iframe", "object", "link"})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"<{tag} {name}>"
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href"):
                self.addresses.append(value or "")
            if name == "aria-labelledby":
                self.named += (value or "").split()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def write_page(folder: Path, events: list[dict[str, Any]], *, tail: str = "", **changes: Any) -> Page:
    path = write_pretraining_report(write_run(folder, events, tail=tail, **changes))
    assert path == folder / "report.html"
    assert [left.name for left in folder.glob(".*")] == []
    return Page(path.read_text(encoding="utf-8"))


def read(folder: Path, events: list[dict[str, Any]], **changes: Any) -> PretrainingRun:
    return read_pretraining_run(write_run(folder, events, **changes))


def test_the_page_is_whole_and_asks_for_nothing_outside(tmp_path: Path) -> None:
    page = write_page(tmp_path, make_events(300))
    assert all(address.startswith("#") for address in page.addresses)
    assert {address[1:] for address in page.addresses} | set(page.named) <= set(page.ids)
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in source
    assert "url(" not in source
    assert "@import" not in source


def test_the_answer_comes_first_and_its_numbers_follow(tmp_path: Path) -> None:
    page = write_page(tmp_path, make_events(2_000))
    assert "It learns, and most of its codes are used; the loss on held‑out speech is still falling." in page.text
    assert page.text.index("It learns, and") < page.text.index("Right sound found") < page.text.index("Does it learn?")
    assert "among up to 101 choices" in page.text


def test_every_figure_has_a_chart_with_a_title_and_a_description(tmp_path: Path) -> None:
    page = write_page(tmp_path, make_events(300))
    charts = [name.removeprefix("chart-") for name in page.ids if name.startswith("chart-")]
    assert charts == [
        "loss",
        "accuracy",
        "used-codes-share",
        "chosen-perplexity",
        "perplexity",
        "diversity-loss",
        "latent-similarity",
        "latent-penalty",
        "gradient-norm",
        "learning-rate",
        "gumbel-temperature",
        "hours-per-hour",
        "waited-share",
    ]
    assert {f"{kind}-{chart}" for chart in charts for kind in "td"} <= set(page.named)
    assert "Yoruba, held out: from 4" in page.text
    assert "guessing: 1.0\u00a0%." in page.text


def test_curves_are_drawn_over_hours_of_audio_and_name_the_update(tmp_path: Path) -> None:
    run = read(tmp_path, [make_step(50), make_step(100), make_evaluation(75, hours_processed=None)])
    (point,) = run.log.evaluation_curve("contrastive_loss")
    assert point.step == 75
    assert point.hours == pytest.approx(75 * HOURS_PER_UPDATE)
    assert run.log.hours_at(150) == pytest.approx(150 * HOURS_PER_UPDATE)
    assert run.log.hours_at(25) == pytest.approx(25 * HOURS_PER_UPDATE)
    assert "at 4.0\u00a0h (update 100)" in write_page(tmp_path, make_events(300)).text


def test_before_the_first_report_hours_follow_from_the_updates(tmp_path: Path) -> None:
    run = read(tmp_path, [], hours_per_update=0.5)
    assert run.log.hours_at(0) == 0
    assert run.log.hours_at(4) == 2.0


def test_a_run_without_a_report_has_a_page(tmp_path: Path) -> None:
    page = write_page(tmp_path, [])
    assert "Nothing has been reported yet" in page.text
    assert page.text.count("Nothing reported yet.") == 13
    (tmp_path / "metrics.jsonl").unlink()
    write_pretraining_report(tmp_path)


@pytest.mark.parametrize("event", [make_step(5), make_evaluation(5)], ids=["step", "evaluation"])
def test_a_run_with_one_report_has_a_page(tmp_path: Path, event: dict[str, Any]) -> None:
    page = write_page(tmp_path, [event])
    assert "It does not learn yet" in page.text


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    whole = write_page(tmp_path / "whole", make_events(100)).text
    torn = write_page(tmp_path / "torn", make_events(100), tail='{"event": "step", "step": 105, "lo').text
    assert whole == torn


def test_values_that_are_no_numbers_leave_gaps(tmp_path: Path) -> None:
    strange = [float("nan"), float("inf"), None, "4.6", True, 10**400, [1.0], {"a": 1}]
    events = [make_step(5 * i + 5, contrastive_loss=value) for i, value in enumerate(strange)]
    run = read(tmp_path, [*events, make_step(100, contrastive_loss=4.5)])
    assert [point.value for point in run.log.training_curve("contrastive_loss")] == [4.5]
    write_page(tmp_path, events)


def test_shapes_that_no_run_writes_still_give_a_page(tmp_path: Path) -> None:
    events = [
        make_step(5, code_perplexity=7, hours_per_language=["a"]) | {"step": "x"},
        make_evaluation(5, held_out={"Yoruba": None, "b": 3}, code_perplexity=[None, "x"]),
        {"event": "notice"},
        {"event": 3, "sentence": {"a": 1}, "step": None},
        {},
    ]
    changes = {"languages": [None, {"language": 3}], "settings": 4, "quantizer_config": [], "warnings": "no"}
    page = write_page(tmp_path, events, tail="[]\n7\nnull\n", num_distractors="many", machine=None, **changes)
    assert "among up to 101 choices" in page.text


def test_an_update_reported_twice_counts_once(tmp_path: Path) -> None:
    run = read(tmp_path, [make_step(5, loss=1.0), make_step(10, loss=2.0), make_step(5, loss=3.0)])
    assert [(point.step, point.value) for point in run.log.training_curve("loss")] == [(5, 3.0), (10, 2.0)]


def test_a_name_with_a_line_separator_does_not_tear_its_line(tmp_path: Path) -> None:
    sentence = "left out: a\u2028b"
    run = read(tmp_path, [{"event": "notice", "step": 3, "attempt": 1, "sentence": sentence}])
    assert [happening.sentence for happening in run.log.happenings()] == ["Left out: a\u2028b"]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"></title></svg><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}{% raw %}",
        "]]><!--",
        "a\u202egnp.exe",
        "nul\x00 bell\x07",
        "\ud800",
        "שלום",
        "x" * 10_000,
    ],
)
def test_hostile_names_are_shown_as_text(tmp_path: Path, hostile: str) -> None:
    score = {"contrastive_loss": 4.0, "contrastive_accuracy": 0.1, "num_frames": 10}
    events = [
        make_step(5, hours_per_language={hostile: 1.0}),
        make_evaluation(5, held_out={hostile: score}),
        {"event": "notice", "step": 5, "attempt": 1, "sentence": hostile},
    ]
    language = {
        "language": hostile,
        "corpus": hostile,
        "licence": hostile,
        "consent": hostile,
        "hours": 1.0,
        "share": 1.0,
    }
    strange = {"settings": {hostile: hostile}, "machine": {hostile: hostile}, "warnings": [hostile]}
    # Written with escapes: a lone surrogate has no UTF-8.
    folder = tmp_path
    record = make_record(name=hostile, status=hostile, languages=[language], **strange)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    (folder / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    source = write_pretraining_report(folder).read_text(encoding="utf-8")
    page = Page(source)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x07]", source)
    if hostile.isprintable() and len(hostile) < 50:
        assert page.text.count(hostile) >= 10


def test_the_languages_are_listed_with_what_was_drawn(tmp_path: Path) -> None:
    languages = trained_languages(read(tmp_path, make_events(200)))
    assert [language.name for language in languages] == ["Yoruba", "Xhosa", "Fongbe", "Wolof <b>&"]
    xhosa = languages[1]
    assert xhosa.hours == pytest.approx(2.5)
    assert xhosa.num_utterances == 2_180
    assert xhosa.aimed_share == pytest.approx(0.23)
    assert xhosa.drawn_share == pytest.approx(0.229)
    assert xhosa.times_heard == pytest.approx(0.229 * 200 * HOURS_PER_UPDATE / 2.5)
    text = write_page(tmp_path, make_events(200)).text
    assert "nchlt" in text
    assert "CC BY-SA 4.0" in text
    assert "slr86: Paid readers, for any use." in text
    assert "nchlt, lwazi, alffa: not stated" in text


def test_consent_that_nobody_stated_is_said_once(tmp_path: Path) -> None:
    rows = [{**row, "consent": ""} for row in make_record()["languages"]]
    assert consents_of(read(tmp_path, [], languages=rows)) == [("Consent of its speakers", "not stated")]


def test_a_language_drawn_but_not_named_beforehand_is_listed(tmp_path: Path) -> None:
    run = read(tmp_path, [make_step(5, hours_per_language={"Zarma": 2.0})], languages=[])
    (zarma,) = trained_languages(run)
    assert (zarma.name, zarma.hours_drawn, zarma.drawn_share, zarma.times_heard) == ("Zarma", 2.0, 1.0, None)


def test_languages_that_are_only_guessed_are_named(tmp_path: Path) -> None:
    events = make_events(1_000)
    events[-1]["held_out"]["Fongbe"]["contrastive_accuracy"] = 0.015
    run = read(tmp_path, events)
    assert [language.name for language in held_out_languages(run) if language.is_guessed] == ["Fongbe"]
    assert "little more than guessed in: Fongbe." in write_page(tmp_path, events).text


def test_of_very_many_languages_the_largest_are_drawn_and_all_are_listed(tmp_path: Path) -> None:
    score = {"contrastive_loss": 4.0, "contrastive_accuracy": 0.1, "num_frames": 10}
    names = [f"language{number:03d}" for number in range(120)]
    rows = [{"language": name, "hours": number} for number, name in enumerate(names)]
    page = write_page(tmp_path, [make_evaluation(5, held_out=dict.fromkeys(names, score))], languages=rows)
    assert "language119, held out" in page.text
    assert "language112, held out" in page.text
    assert "language111, held out" not in page.text
    assert "language000" in page.text


def test_a_collapse_is_said_and_so_is_what_happened(tmp_path: Path) -> None:
    events = make_events(800, learns=False)
    events.append({"event": "notice", "step": 800, "attempt": 1, "sentence": "only 2 of the 640 codes are used"})
    page = write_page(tmp_path, events, status="collapsed", is_synthetic=True, warnings=["the <disk> is nearly full"])
    assert "The codes have collapsed to a few" in page.text
    assert "Only 2 of the 640 codes are used" in page.text
    assert "the run is now planned to make 4,000 updates" in page.text
    assert "A machine spoke these recordings" in page.text
    assert "the <disk> is nearly full" in page.text


def test_a_warning_that_was_also_reported_is_said_once(tmp_path: Path) -> None:
    warning = "An update learns from 144 s of audio."
    notice = {"event": "notice", "step": 0, "attempt": 1, "sentence": warning}
    page = write_page(tmp_path, [notice], warnings=[warning, warning])
    assert page.text.count(warning) == 1
    assert "Nothing out of the ordinary was reported." in page.text


def test_the_chosen_codes_and_not_the_softmax_tell_a_collapse(tmp_path: Path) -> None:
    run = read(tmp_path, [make_step(5, code_perplexity=[300.0, 300.0], chosen_perplexity=[1.0, 90.0])])
    assert evidence_of(run).code_perplexity == (1.0, 90.0)


def test_all_settings_are_folded_in_with_dotted_names() -> None:
    settings = dict(settings_of(make_record(deep={"a": {"b": {}}}, nothing=None)))
    assert settings["settings.weights.diversity"] == "0.1"
    assert settings["model_config.conv_strides"] == "[5, 2, 2, 2, 2, 2, 2]"
    assert settings["is_synthetic"] == "no"
    assert settings["deep.a.b"] == "{}"
    assert settings["nothing"] == "–"
    assert "languages" not in settings


@pytest.mark.slow
def test_a_long_run_stays_a_small_file(tmp_path: Path) -> None:
    events = [make_step(step) for step in range(20, 60_001, 20)]
    write_page(tmp_path, events + [make_evaluation(step) for step in range(200, 60_001, 200)])
    assert (tmp_path / "report.html").stat().st_size < 700_000


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read"):
        write_pretraining_report(tmp_path)
    (tmp_path / "run.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is not a JSON object"):
        write_pretraining_report(tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, [])
    (tmp_path / "report.html").mkdir()
    with pytest.raises(LowresError, match="could not be written"):
        write_pretraining_report(tmp_path)
    assert list(tmp_path.glob(".*")) == []
