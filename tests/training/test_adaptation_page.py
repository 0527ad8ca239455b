"""docs/ADAPTATION.md says what the code does."""

import re
from pathlib import Path

import pytest

from lowres.training.finetune_defaults import defaults_for_hours

PAGE = (Path(__file__).parents[2] / "docs" / "ADAPTATION.md").read_text(encoding="utf-8")
WIDTHS = {"random weights": None, "smaller than BASE": 256, "BASE": 768, "LARGE and larger": 1024}
HOURS = {"10 min": 1 / 6, "1 h": 1.0, "10 h": 10.0, "100 h": 100.0}
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.search(r"\| \d+ (min|h) \|", line)]


def test_every_size_and_amount_of_speech_has_its_row() -> None:
    assert {(size, hours) for size, hours, *_ in ROWS} == {(size, hours) for size in WIDTHS for hours in HOURS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}, {row[1]}")
def test_the_table_holds_the_numbers_that_are_used(row: list[str]) -> None:
    found = defaults_for_hours(HOURS[row[1]], backbone_width=WIDTHS[row[0]])
    used = (
        found.learning_rate,
        found.updates,
        found.head_only_updates,
        found.seconds_per_update,
        found.time_span_start_probability,
        found.channel_span_start_probability,
        found.layer_drop,
    )
    assert [float(cell.replace(",", "")) for cell in row[2:]] == pytest.approx(used, rel=1e-3)
