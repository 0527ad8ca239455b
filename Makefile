# On a machine with Python 3.11 or newer, git and make, `make demo` and `make test` install what they need and run.
# The network is used once: afterwards both work offline.

PYTHON ?= python3
# uv from PATH if it runs (a pyenv shim may exist and still refuse), else a private one in .uv/.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .uv/bin/uv)
INSTALLED := .venv/.lowres-installed
# A process for each core. Each begins with a half of the files, so that tests share what their file took long to make;
# whoever is through first takes over some of what the others still have.
IN_PARALLEL := --numprocesses auto --dist worksteal

.PHONY: help install demo test test-fast lint format clean

help:
	@echo "make demo       synthesise a small corpus, train on it and write a report (about three minutes)"
	@echo "make test       run all tests"
	@echo "make test-fast  run the tests that take less than a few seconds each"
	@echo "make lint       ruff, mypy and the layers"
	@echo "make format     let ruff rewrite what it can"
	@echo "make clean      remove what make made: .venv, .uv, demo and caches"

install: $(INSTALLED)

demo: $(INSTALLED)
	.venv/bin/lowres demo

test: $(INSTALLED)
	.venv/bin/pytest $(IN_PARALLEL)

test-fast: $(INSTALLED)
	.venv/bin/pytest $(IN_PARALLEL) -m "not slow"

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: $(INSTALLED)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

clean:
	rm -rf .venv .uv demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): pyproject.toml uv.lock | $(UV)
	UV_COMPILE_BYTECODE=1 $(UV) sync --frozen --extra demo --extra studio
	@touch $@

# Three ways, because Debian's Python comes without venv or pip, and other Pythons without curl.
.uv/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lowres needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 demo")'
	{ $(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet uv; } \
	|| { rm -rf .uv && $(PYTHON) -m pip install --quiet --target .uv uv; } \
	|| { rm -rf .uv && curl -LsSf https://astral.sh/uv/install.sh | env UV_INSTALL_DIR="$(CURDIR)/.uv/bin" UV_NO_MODIFY_PATH=1 sh; }
	@test -x $@
