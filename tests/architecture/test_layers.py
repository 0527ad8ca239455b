"""The diagram of DESIGN.md is a check: imports point down, names say what they are for, files stay small."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "lowres"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)
MODULES = [str(path.relative_to(REPOSITORY)) for path in SOURCES]
MOST_LINES = 400
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}


def test_imports_point_down_only() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    checked = subprocess.run([lint, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_module_is_named_for_nothing() -> None:
    named = {part.removesuffix(".py") for module in MODULES for part in Path(module).parts}
    assert not named & FORBIDDEN_NAMES


@pytest.mark.parametrize("module", MODULES)
def test_a_file_does_one_thing(module: str) -> None:
    num_lines = len((REPOSITORY / module).read_text(encoding="utf-8").splitlines())
    assert num_lines <= MOST_LINES, f"{module} has {num_lines} lines: what second thing lives there?"


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_says_what_it_is_for(module: str) -> None:
    tree = ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, f"{module} has no docstring"
    assert not list(_undocumented(tree)), f"{module}: {', '.join(_undocumented(tree))} without a docstring"


def _undocumented(tree: ast.Module | ast.ClassDef) -> list[str]:
    missing = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        # `forward` is described by its module where a class does not do so itself; overloads repeat one docstring.
        is_overload = any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)
        if not ast.get_docstring(node) and not is_overload:
            missing.append(node.name)
        if isinstance(node, ast.ClassDef):
            missing += [f"{node.name}.{name}" for name in _undocumented(node)]
    return missing


def test_docstrings_of_undocumented_functions_are_missed() -> None:
    tree = ast.parse("def seen():\n    '''Do it.'''\ndef unseen(): ...\nclass Kept:\n    def bare(self): ...\n")
    assert _undocumented(tree) == ["unseen", "Kept", "Kept.bare"]


def test_the_library_never_prints() -> None:
    printing = re.compile(r"^\s*print\(", re.MULTILINE)
    below_cli = [path for path in SOURCES if "cli" not in path.relative_to(PACKAGE).parts]
    assert [str(path) for path in below_cli if printing.search(path.read_text(encoding="utf-8"))] == []
