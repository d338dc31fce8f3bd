# Each target makes the environment first if it is not there.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Tests of the library: neither the chapters', the press's and the commands' nor those of tables.
UNITS := $(filter-out $(addprefix tests/,browser chapters public_inputs publish scripts sweeps \
	$(addsuffix .py,$(addprefix test_,claims commands contributing house notebooks sources))), \
	$(patsubst %/,%,$(wildcard tests/*/)) $(wildcard tests/test_*.py))

.PHONY: book zip pdf test quick coverage lab lint bench sweeps claims clean lock

book: $(READY)  ## execute every chapter, render the book, check it
	@$(BIN)/python -m descent.publish

test: $(READY)  ## run every test
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

quick: $(READY)  ## run the unit tests of the library alone, in about a minute
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -q -m "not slow" $(UNITS)

coverage: $(READY)  ## say which lines and branches of the numerics no unit test enters
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -q --cov --cov-report=term:skip-covered $(UNITS)

zip: $(READY)  ## pack the book into book/_build/descent.zip, to hand on
	@$(BIN)/python -m descent.publish.archive

pdf: $(READY)  ## print the whole book to book/_build/descent.pdf (needs Chromium)
	@$(BIN)/python -m descent.publish.pdf

lab: $(READY)  ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab notebooks

lint: $(READY)  ## style, types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(READY)  ## measure speed against naive versions and peers
	@for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

# make sweeps ONLY='08-*' JOBS=4 DASK=tcp://host:8786
sweeps: $(READY)  ## compute the tables that take long and are not there yet
	@$(BIN)/python -m descent.sweeps $(if $(ONLY),--only $(ONLY)) $(if $(JOBS),--jobs $(JOBS)) $(if $(DASK),--dask $(DASK))

claims: $(READY)  ## print every claim with its verdict
	@$(BIN)/python -m descent.claims

clean:  ## remove all that was made, but the environment
	rm -rf book/_build benchmarks/results .pytest_cache .mypy_cache .ruff_cache .hypothesis

lock: $(READY)  ## refresh requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --all-extras \
	  --upgrade --no-annotate --custom-compile-command "make lock" pyproject.toml -o requirements.lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) scripts/environment.py
