"""Licence and consent stand on every page that was made from somebody's speech, as text, or are said to be missing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import comparisons
import pytest
import test_data_page
import test_orthography_page
from finetuning_runs import make_events, write_run
from html_pages import Page

from lowres.report.compare_page import render_comparison
from lowres.report.contents import ReportContents
from lowres.report.data_figures import gather_data
from lowres.report.data_page import render_data_page
from lowres.report.orthography_page import render_orthography_page
from lowres.report.page import render_page
from lowres.report.run_log import RunLog, read_run_log
from lowres.report.terms import terms
from lowres.report.training import render_seeds_page, render_training_page

LICENCE, CONSENT = "CC <b>BY</b> 4.0", "asked on tape & </dd>"
HEARD = ["bána na", "bána ná"]
Render = Callable[[str, str], str]


@pytest.fixture(name="pages")
def make_pages(
    make_contents: Callable[..., ReportContents], split_letters: Callable[[str], list[str]], tmp_path: Path
) -> dict[str, Render]:
    def log(licence: str, consent: str) -> RunLog:
        stated = {"corpus_licence": licence, "corpus_consent": consent}
        return read_run_log(write_run(tmp_path, make_events([0.5, 0.4]), **stated))

    def data(licence: str, consent: str) -> str:
        corpus = test_data_page.make_corpus()
        info = replace(corpus.info, licence=licence, consent=consent)
        return render_data_page(gather_data(replace(corpus, info=info), test_data_page.CHECKS, tiers=["tx"] * 12), {})

    return {
        "evaluation": lambda licence, consent: render_page(
            make_contents(licence=licence, consent=consent), split=split_letters, recordings={}
        ),
        "training": lambda licence, consent: render_training_page(log(licence, consent)),
        "seeds": lambda licence, consent: render_seeds_page("seeds", [log(licence, consent)]),
        "comparison": lambda licence, consent: render_comparison(
            comparisons.make_contents(
                HEARD[:1], {"one": HEARD[:1], "two": HEARD[1:]}, licence=licence, consent=consent
            ),
            split=list,
            recordings={},
        ),
        "data": data,
        "orthography": lambda licence, consent: render_orthography_page(
            test_orthography_page.make_page(licence=licence, consent=consent), {}
        ),
    }


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", ["evaluation", "training", "seeds", "comparison", "data", "orthography"])
def test_every_page_says_under_which_terms_the_speech_was_given(name: str, pages: dict[str, Render]) -> None:
    assert squeezed(f"Licence of the speech {LICENCE} Consent of its speakers {CONSENT}") in squeezed(
        Page(pages[name](LICENCE, CONSENT)).text
    )
    assert squeezed("Licence of the speech not stated Consent of its speakers not stated") in squeezed(
        Page(pages[name]("", "")).text
    )


def test_what_nobody_stated_is_said_to_be_missing() -> None:
    assert [value for _, value in terms("", "")] == ["not stated", "not stated"]
