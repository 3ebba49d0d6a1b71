# make run    train on labels/, evaluate, predict the five seeds
# make test   everything that is checked: format, lint, types, tests, doctests, README, notebooks
# Both set up .venv themselves, from requirements.lock; PYTHON=python3.12 chooses another Python (3.11 or later).

PYTHON ?= python3
BIN := .venv/bin
MODEL := models/defence-diplomacy
REPORT := reports/defence-diplomacy/report.html
PREDICTIONS := reports/seeds.jsonl

.PHONY: run test spark lock sanitize

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

# Run the recipe for Spark on a local one; needs Java 17 or later, and fetches 450 MB.
spark: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --editable ".[spark]"
	CLASSIFY_SPARK_PROMISED=1 $(BIN)/pytest -q tests/test_distributed.py

# Build the C extension so that it stops at any wrong access to memory or undefined behaviour, read all kinds of text
# with it, and build it as usual again; needs gcc.
SANITIZED := -fsanitize=address,undefined -fno-sanitize-recover=all
BUILD := $(BIN)/python setup.py --quiet build_ext --inplace --force
sanitize: .venv/installed
	CFLAGS="$(SANITIZED) -g -O1" LDFLAGS="$(SANITIZED)" $(BUILD)
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
		$(BIN)/python -m pytest -q tests/scorer/test_scanners.py; status=$$?; $(BUILD); exit $$status

# Pin again what pyproject.toml asks for; needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.lock pyproject.toml

.venv/installed: requirements.lock pyproject.toml setup.py classify/scorer/_scanner.c
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
