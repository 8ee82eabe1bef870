# Every target sets up what it needs; PYTHON names the interpreter to build the environment from (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var

.PHONY: test test-postgres setup demo quick lint eval notebooks torture sbom audit bench clean

test: setup
	$(BIN)/pytest -n 3 --database both

test-postgres: setup
	$(BIN)/pytest -n 2 --database postgresql

quick: setup
	$(BIN)/pytest -n 2 -m "not slow"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,cluster]'
	$(BIN)/python -m tests.postgres || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgres]'
	$(BIN)/python scripts/compile_kernel.py
	touch $@

demo: setup
	$(BIN)/huiqi demo --home $(HOME_DIR)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

eval: setup
	OMP_NUM_THREADS=1 $(BIN)/python scripts/eval_decomposer.py ../shared/eval --check scripts/decomposer_floors.json

notebooks: setup
	$(BIN)/python scripts/render_notebooks.py

torture: setup
	$(BIN)/python scripts/torture.py
	$(BIN)/python scripts/torture_night.py 40
	$(BIN)/python scripts/torture_layers.py --kills 48 --days 7
	HUIQI_CHAINS=50 $(BIN)/pytest -q --database both tests/store/test_whole_chain.py
	$(BIN)/python -W ignore scripts/fuzz_parsers.py --inputs 5000
	$(BIN)/python -W ignore scripts/fuzz_api.py
	$(BIN)/python -W ignore scripts/fuzz_pages.py
	$(BIN)/python -W ignore scripts/soak.py --firms 500 --nights 4 --officers 2 --visitors 8

sbom: setup
	$(BIN)/python scripts/sbom.py --out $(HOME_DIR)/sbom.cdx.json

audit: setup
	$(BIN)/python scripts/audit.py

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/huiqi bench match
