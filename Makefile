# make run    train on labels/, evaluate, predict the five seeds
# make test   everything that is checked: format, lint, types, tests, doctests, README, notebooks
# Both set up .venv themselves, from requirements.lock; PYTHON=python3.12 chooses another Python (3.11 or later).

PYTHON ?= python3
BIN := .venv/bin
MODEL := models/defence-diplomacy
REPORT := reports/defence-diplomacy/report.html
PREDICTIONS := reports/seeds.jsonl

.PHONY: run test lock

run: .venv/installed
	$(BIN)/classify train --out $(MODEL)
	$(BIN)/classify evaluate
	$(BIN)/classify predict seeds --model $(MODEL) --out $(PREDICTIONS)
	@echo
	@echo "model:       $(MODEL)"
	@echo "report:      $(REPORT)"
	@echo "predictions: $(PREDICTIONS)"

test: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# Pin again what pyproject.toml asks for; needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
