"""report.html and report.json of the data report: what a prepared corpus holds, in one file that opens offline."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from lowres.report.clips import MOST_CLIP_SECONDS, ClipShelf
from lowres.report.data_checks import words_for
from lowres.report.data_contents import DataContents
from lowres.report.histogram import Histogram, HistogramDrawing, draw_histogram
from lowres.report.sentences import duration_text
from lowres.report.templating import page_environment, plain, style_sheet
from lowres.report.writing import OTHER_PAGE, write_page_and_data

DATA_SCHEMA_VERSION: Final = 1
_SPEAKERS_SHOWN: Final = 60
_PLACES_SHOWN: Final = 40


def write_data_report(folder: Path, contents: DataContents, recordings: Mapping[str, str]) -> int:
    """Write report.json and report.html into a folder.

    Args:
        folder: e.g. reports/data.
        contents: everything the report says.
        recordings: data addresses by utterance id.

    Returns:
        The size of the page in bytes.

    Raises:
        LowresError: the folder cannot be written.
    """
    return write_page_and_data(folder, data_json(contents), render_data_page(contents, recordings))


def data_json(contents: DataContents) -> dict[str, Any]:
    """Return report.json: every number of the report; durations in seconds."""
    return {"schema_version": DATA_SCHEMA_VERSION, **asdict(contents), "lost_seconds": contents.lost_seconds}


def render_data_page(contents: DataContents, recordings: Mapping[str, str]) -> str:
    """Write the whole page."""
    environment = page_environment(about=words_for)
    shelf = ClipShelf(recordings)
    heard = [[(offender, shelf.place(offender.utterance_id)) for offender in one.offenders] for one in contents.found]
    return environment.get_template("data.html.jinja").render(
        contents=contents,
        headline=headline(contents),
        found=list(zip(contents.found, heard, strict=True)),
        has_sound=any(sound for sounds in heard for _, sound in sounds),
        charts=_charts(contents),
        longest=max((speaker.seconds for speaker in contents.speakers), default=0.0),
        most_seconds=MOST_CLIP_SECONDS,
        speakers_shown=_SPEAKERS_SHOWN,
        places_shown=_PLACES_SHOWN,
        other_page=OTHER_PAGE,
        style=style_sheet("style.css", "charts.css", "corpus.css"),
        title=plain(contents.name),
    )


def headline(contents: DataContents) -> str:
    """Say in one sentence how much speech can be used."""
    used = contents.used
    if not used.num_utterances:
        return "Nothing of this corpus can be used."
    return f"{duration_text(used.seconds)} of speech can be used."


def _charts(contents: DataContents) -> list[HistogramDrawing]:
    histograms = []
    if contents.durations:
        histograms.append(
            Histogram(
                "durations",
                "How long the utterances are",
                "Very short ones hold little to learn from; very long ones cost memory in training.",
                "seconds",
                contents.durations,
            )
        )
    if contents.paces and contents.transcribed:
        histograms.append(
            Histogram(
                "paces",
                "How fast people speak",
                "One hill is what to expect. What lies far off it, on either side, may have a wrong transcript.",
                "letters a second",
                contents.paces,
            )
        )
    return [draw_histogram(histogram) for histogram in histograms]
