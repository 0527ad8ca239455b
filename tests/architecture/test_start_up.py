"""`lowres --help` answers at once: nothing heavy is imported before a command needs it."""

import resource
import subprocess
import sys

HEAVY = ("torch", "torchaudio", "pandas", "transformers", "sentencepiece")


def _loads(module: str, heavy: tuple[str, ...] = HEAVY) -> list[str]:
    code = f"import sys, {module}; print(*[name for name in {heavy!r} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_the_command_line_loads_nothing_heavy() -> None:
    assert _loads("lowres.cli.app") == []


def test_recipes_settings_and_preparing_load_no_torch() -> None:
    # One process for all of them: what none of them loads, each of them does not load.
    modules = "lowres.recipe, lowres.model.config, lowres.training.pretrain_settings, lowres.stages.prepare"
    listing = "; import lowres.stages.backbones; lowres.stages.backbones.list_backbones()"
    assert _loads(modules + listing, ("torch", "torchaudio", "transformers")) == []


def test_help_takes_under_four_tenths_of_a_second_of_processor_time() -> None:
    command = [sys.executable, "-m", "lowres", "--help"]
    # Once is enough: the first one may still write byte code, and other work on the machine may slow down any of them.
    assert any(_processor_seconds(command) < 0.4 for _ in range(10))


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
