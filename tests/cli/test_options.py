"""Commands that other commands name are typed as a shell takes them."""

import shlex
from pathlib import Path

import pytest

from lowres.cli.options import with_options, with_project


@pytest.mark.parametrize("value", ["two words", "3min, 6min", "it's", "$HOME", "plain", Path("my folder")])
def test_a_value_reaches_the_command_as_it_was_given(value: object) -> None:
    assert shlex.split(with_options("lowres curve", {"name": value})) == ["lowres", "curve", "--name", str(value)]


def test_nothing_that_was_given_is_left_out_and_nothing_else_is_said() -> None:
    given = {"seed": 0, "minutes": 5.0, "hours": 1 / 6, "name": None, "seeds": 1234567}
    assert (
        with_options("lowres x", given) == "lowres x --seed 0 --minutes 5 --hours 0.16666666666666666 --seeds 1234567"
    )
    assert with_project("lowres x", Path("a b"), None, ["k=v w"]) == "lowres x --set 'k=v w' --project 'a b'"
