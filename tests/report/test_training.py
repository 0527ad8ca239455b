"""The page of a fine-tuning run: the answer first, every curve, and a run in any state."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import accessibility_faults, open_page, scrolls_sideways
from finetuning_runs import HOURS_PER_UPDATE, make_evaluation, make_events, make_record, make_step, write_run
from html_pages import Page, check_alone

from lowres.errors import CheckpointError
from lowres.report.run_log import Point, read_run_log
from lowres.report.training import seeds_answer, write_seeds_report, write_training_report
from lowres.report.training_charts import learning_charts, mean_curve
from lowres.report.training_contents import examples_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RATES = [0.71, 0.6, 0.55, 0.5, 0.46, 0.43, 0.41, 0.39]


def write_page(folder: Path, events: list[dict[str, Any]], **changes: Any) -> Page:
    source = write_training_report(write_run(folder, events, **changes)).read_text(encoding="utf-8")
    page = Page(source)
    check_alone(page, source)
    return page


def test_the_answer_comes_first(tmp_path: Path) -> None:
    page = write_page(tmp_path, make_events(RATES))
    assert "Dev CER fell from 71\u00a0% to 39\u00a0%; the best was update 320." in page.text
    assert "longer training would probably help" in page.text
    assert page.text.index("Dev CER fell") < page.text.index("Letters wrong") < page.text.index("Does it get better?")


def test_every_figure_has_a_chart_and_the_best_checkpoint_is_marked(tmp_path: Path) -> None:
    page = write_page(tmp_path, make_events([*RATES, 0.45]))
    charts = [name.removeprefix("chart-") for name in page.all("id") if name.startswith("chart-")]
    assert charts == [
        "dev",
        "loss",
        "learning-rate",
        "blank-share",
        "distinct-tokens",
        "gradient-norm",
        "hours-per-hour",
        "waited-share",
    ]
    dev = learning_charts(read_run_log(tmp_path))[0]
    assert dev.moments == [(pytest.approx(320 * HOURS_PER_UPDATE), "best")]


def test_a_run_begun_anew_is_drawn_behind_its_first_attempt(tmp_path: Path) -> None:
    first = make_events([0.9, 0.9])
    retry = {
        "event": "retry",
        "step": 80,
        "attempt": 1,
        "sentence": "it answers with silence",
        "causes": ["a bad start"],
        "remedy": "starting again with seed 1001",
    }
    page = write_page(tmp_path, [*first, retry, *make_events([0.8, 0.7], attempt=2)])
    log = read_run_log(tmp_path)
    hours = [point.hours for point in log.evaluation_curve("dev_character_error_rate")]
    assert hours == pytest.approx([0.8, 1.6, 2.4, 3.2])
    assert "Attempt 1 collapsed: it answers with silence; starting again with seed 1001." in page.text
    assert (pytest.approx(1.6), "attempt 2") in learning_charts(log)[0].moments


def test_examples_show_what_was_heard_at_first_and_at_best(tmp_path: Path) -> None:
    events = make_events([0.5])
    events.append(make_evaluation(80, 0.4, is_best=True, examples=[["wáa dzé", "wáa dzé"], ["mwána ya", ""]]))
    log = read_run_log(write_run(tmp_path, events))
    assert [(one.at_first, one.at_best) for one in examples_of(log)] == [("wa dze", "wáa dzé"), ("mwana", "")]


def test_a_run_in_any_state_has_a_page(tmp_path: Path) -> None:
    assert "Nothing has been reported yet" in write_page(tmp_path / "a", [], status="training").text
    assert "at the only evaluation" in write_page(tmp_path / "b", [make_evaluation(7, 0.6, is_best=True)]).text
    assert "Without dev speech" in write_page(tmp_path / "c", [make_step(10), make_step(20)]).text
    assert "It collapsed" in write_page(tmp_path / "d", make_events([1.0]), status="collapsed").text
    strange = [make_evaluation(5, 0.5, examples=[None, ["x"], 3], is_best=True), {"event": 3}, {}]
    write_page(tmp_path / "e", strange, settings=3, machine=None, warnings="no", tail="[]\n7\n{torn")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"run\.json cannot be read"):
        write_training_report(tmp_path)


HOSTILE = [
    "<script>alert(1)</script>",
    '"></title></svg><img src=x onerror=alert(1)>',
    "a\u202eb",
    "\ud800",
    "x" * 9_000,
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_and_transcripts_are_shown_as_text(tmp_path: Path, hostile: str) -> None:
    changes = {"name": hostile, "corpus_name": hostile, "backbone": hostile, "settings": {hostile: hostile}}
    events = [make_evaluation(5, 0.5, is_best=True, examples=[[hostile, hostile]])]
    events.append({"event": "notice", "step": 5, "attempt": 1, "sentence": hostile})
    page = write_page(tmp_path, events, **changes)
    assert not page.named("img")
    assert not re.search("[\u202a-\u202e]", page.text)


def test_seeds_are_averaged_at_the_updates_that_all_have() -> None:
    curves = [[Point(1.0, 10, 0.5), Point(2.0, 20, 0.3)], [Point(1.2, 10, 0.7), Point(3.0, 30, 0.2)]]
    mean, band = mean_curve(curves)
    assert mean == [Point(pytest.approx(1.1), 10, pytest.approx(0.6))]
    deviation = 0.1 * 2**0.5  # sample standard deviation of 0.5 and 0.7
    assert band == [(pytest.approx(1.1), pytest.approx(0.6 - deviation), pytest.approx(0.6 + deviation))]
    assert mean_curve(curves[:1]) == ([], [])


def test_the_page_of_seeds_has_all_of_them_and_their_mean(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / f"s{seed}", make_events([rate + 0.01 * seed for rate in RATES]), name=f"run-seed{seed}")
        for seed in (1, 2, 3)
    ]
    path = write_seeds_report(tmp_path / "run-seeds.html", folders)
    page = Page(path.read_text(encoding="utf-8"))
    assert "Over 3 seeds the best dev CER is 41.0\u00a0% ± 1.0\u00a0%, from 40.0\u00a0% to 42.0\u00a0%." in page.text
    assert page.text.count("run-seed2") >= 2
    assert "mean of seeds" in page.text
    assert "No seed has been evaluated" in seeds_answer([])


def test_a_record_of_another_language_keeps_its_letters(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(make_record(corpus_name="ɓɛ́tɛ")), encoding="utf-8")
    assert "ɓɛ́tɛ" in write_training_report(tmp_path).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_page_in_a_browser(browser: "Browser", tmp_path: Path) -> None:
    write_page(tmp_path, make_events(RATES), warnings=["A caution."])
    for width, dark in ((400, True), (1400, False)):
        with open_page(browser, tmp_path / "report.html", width=width, dark=dark) as page:
            assert not scrolls_sideways(page)
            assert accessibility_faults(page) == []
