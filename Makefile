# Two commands on a fresh machine: `make run` and `make test`. Both set up .venv first, once.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(wildcard plugins/*)
SETUP := .venv/.installed

.PHONY: run test bench docs setup lint wheels clean

run: $(SETUP)  ## run every method on every embedded dataset, quickly, and show the leaderboard
	$(BIN)/mmbench run --all --protocol quick
	$(BIN)/mmbench board --protocol quick

test: $(SETUP)  ## every test of the core and of the plugins
	$(BIN)/python -m pytest -n 2 tests plugins

# Nothing else should run beside it. The page is written if all benchmarks ran and all loops learnt the same.
REPORT ?= docs/speed.md
bench: $(SETUP)  ## measure, and write docs/speed.md
	results=$$(mktemp) && trap 'rm -f '$$results EXIT && \
		$(BIN)/python -m pytest -n 0 -o python_files='bench_*.py' tests/benchmarks --benchmark-json=$$results && \
		$(BIN)/python tests/benchmarks/report.py $$results $(REPORT)

docs: $(SETUP)  ## docs/datasets.md from the cards, with pictures of what is here; docs/findings.md from leaderboards/
	$(BIN)/python docs/make/page.py --pictures
	$(BIN)/python docs/make/curves.py
	$(BIN)/python docs/make/findings.py
	$(BIN)/python docs/make/measured.py

lint: $(SETUP)  ## style, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

wheels: $(SETUP)  ## a wheel of the core and of each plugin, in dist/
	for project in . $(PLUGINS); do $(BIN)/python -m build --wheel --outdir dist $$project || exit 1; done

setup: $(SETUP)

# torch comes first and from the pin, so that no resolver picks another build of it.
$(SETUP): constraints.txt pyproject.toml $(wildcard plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mmbench needs Python 3.11 or newer; run: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]' $(addprefix --editable ./,$(PLUGINS))
	touch $(SETUP)

clean:
	rm -rf .venv dist
