"""Properties that are tried with a few examples in the fast suite, and with many in the whole one."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

FEW = 12


def few_and_many(many: int, **strategies: SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a property with FEW examples, and once more with `many` where slow tests are run.

    Args:
        many: examples of the slow one.
        strategies: by the test's own argument; its other arguments are fixtures.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        fixtures = [one for name, one in inspect.signature(test).parameters.items() if name not in strategies]

        def run(num_examples: int, **known: object) -> None:
            chosen = settings(
                max_examples=num_examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
            )
            chosen(given(**strategies)(test))(**known)

        number = inspect.Parameter("num_examples", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        run.__signature__ = inspect.Signature([number, *fixtures])  # type: ignore[attr-defined]
        return pytest.mark.parametrize("num_examples", [FEW, pytest.param(many, marks=pytest.mark.slow)])(run)

    return decorate
