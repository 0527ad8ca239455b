from types import SimpleNamespace
from typing import Any, cast

import pytest

from lowres.stages.curve_cautions import heard_seldom


def runs(*amounts: tuple[str, float, float]) -> Any:
    return cast(Any, [SimpleNamespace(name=name, hours=hours, hours_processed=heard) for name, hours, heard in amounts])


def test_large_amounts_that_were_heard_a_few_times_are_named() -> None:
    (found,) = heard_seldom(runs(("small", 0.5, 5.0), ("middle", 2.0, 5.0), ("large", 4.0, 5.2)))
    assert "middle 2.5 times, large 1.3 times" in found
    assert "small" not in found


@pytest.mark.parametrize("heard", [1.0, 10.0])
def test_runs_that_are_alike_in_this_are_not_accused(heard: float) -> None:
    assert heard_seldom(runs(("small", 1.0, heard), ("large", 2.0, 2 * heard))) == []
