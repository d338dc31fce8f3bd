# Each target makes the environment first if it is not there.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Tests of the library: neither the chapters', the press's and the commands' nor those of tables.
UNITS := $(filter-out $(addprefix tests/,browser chapters exercises public_inputs publish scripts sweeps \
	$(addsuffix .py,$(addprefix test_,claims commands contributing extras house notebooks sources \
	surroundings))), \
	$(patsubst %/,%,$(wildcard tests/*/)) $(wildcard tests/test_*.py))

.PHONY: book zip epub pdf test quick coverage lab lint bench sweeps claims clean lock

# make book FORCE=01-modelling-sgd executes that chapter anew, whatever is stored of it
book: $(READY)  ## execute every chapter, render the book, check it
	@$(BIN)/python -m descent.publish $(if $(FORCE),--force '$(FORCE)')

test: $(READY)  ## run every test, the notebooks by nbmake among them
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal --nbmake tests src notebooks

quick: $(READY)  ## run the unit tests of the library alone, in about a minute
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -q -m "not slow" $(UNITS)

coverage: $(READY)  ## say which lines and branches of the numerics no unit test enters
	@$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal -q --cov --cov-report=term:skip-covered $(UNITS)

zip: $(READY)  ## pack the book into book/_build/descent.zip, to hand on
	@$(BIN)/python -m descent.publish.archive

epub: $(READY)  ## bind the book for reading programs to book/_build/descent.epub
	@$(BIN)/python -m descent.publish.epub

pdf: $(READY)  ## print the whole book to book/_build/descent.pdf (needs Chromium)
	@$(BIN)/python -m descent.publish.pdf

lab: $(READY)  ## open JupyterLab on the notebooks
	@$(BIN)/jupyter lab notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

lint: $(READY)  ## style, types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(READY)  ## measure speed against peers, and store the table for the status page
	@$(BIN)/python benchmarks/table.py

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
