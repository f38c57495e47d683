# Everything a developer or a first user needs. `make demo` and `make test` set themselves up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := demo

# Numeric libraries in one thread: two test processes are enough for two cores.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.PHONY: install demo lint test check e2e torture simulate fuzz deid-score bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(INSTALLED)

demo: $(INSTALLED)
	rm -rf $(DEMO)
	$(BIN)/lesionary demo --out $(DEMO)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(INSTALLED)
	$(BIN)/pytest -n 2 --dist worksteal -m 'not slow'

check: lint test

# A study on a real SLURM on this machine: needs the Debian packages slurm-wlm, munge, postgresql.
e2e: $(INSTALLED)
	LESIONARY_REQUIRE=postgres,slurm $(BIN)/pytest -m slow tests/end_to_end/test_slurm.py

# Studies killed at random moments, on SQLite and on PostgreSQL (the Debian package postgresql).
KILLS ?= 200
torture: $(INSTALLED)
	$(BIN)/python -m torture --kills $(KILLS)

# Reader studies whose truth is known: are the probabilities of responses right?
TIMEPOINTS ?= 10000
simulate: $(INSTALLED)
	$(BIN)/python -m simulate --timepoints $(TIMEPOINTS)

# Mutated headers through the door: nothing may crash, nothing may leak.
CASES ?= 20000
fuzz: $(INSTALLED)
	$(BIN)/python -m tests.fuzz_deidentify --cases $(CASES)

# The planted identities of the corpus, in the vocabulary of the MIDI-B challenge.
deid-score: $(INSTALLED)
	$(BIN)/python -m tests.deid_corpus

# panoptica asks for older versions than it needs: it comes alone, what it imports with the others.
bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps panoptica==2.1.7
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache
