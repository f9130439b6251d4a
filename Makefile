# Two commands matter: `make serve` and `make test`. `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8000

# The theme's maintainers announce their successor in every build.
export NO_MKDOCS_2_WARNING = 1

# Compiled once, TensorFlow is imported in a third of the time.
unexport PYTHONDONTWRITEBYTECODE

# Linux and macOS; the README has the commands for Windows.
SITE = .venv/site
TEST = .venv/test
BACKENDS = .venv/backends
SHIP = .venv/ship
UV = .venv/uv

# For two cores: a third worker has something to run while the others wait for a browser or
# a new process, which saves some of the wait. Each file stays with one of them.
WORKERS = -n 3 --dist loadfile

.DEFAULT_GOAL = help
.PHONY: help serve build test browser visits search outputs reader long backends ship zoo processors versions lock next clean
.DELETE_ON_ERROR:

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

serve: $(SITE)/ready ## Serve the site with live reload on port 8000 (no TensorFlow)
	SITE_URL=http://127.0.0.1:$(PORT)/ $(SITE)/bin/mkdocs serve --livereload --dev-addr 127.0.0.1:$(PORT)

build: $(SITE)/ready ## Build the site into site/, strictly
	$(SITE)/bin/mkdocs build --strict

test: $(TEST)/ready browser ## Run every test: pages, collector, site, browser, records
	$(TEST)/bin/python -m pytest $(WORKERS)

visits: $(TEST)/ready browser ## Look at every page of the site in every way, not at one of each tab
	$(TEST)/bin/python -m pytest tests/test_built.py --every-page

search: $(TEST)/ready browser ## Ask the site's search what readers ask, and print how well it finds
	$(TEST)/bin/python -m pytest -s tests/test_search.py -k what_readers_ask

outputs: $(TEST)/ready ## Run the pages and write what they print into them
	$(TEST)/bin/python -m pytest $(WORKERS) docs tests/test_notebooks.py tests/test_recorded.py tests/test_zoo.py tests/test_finder.py --update-outputs

reader: $(TEST)/ready .venv/reader/ready ## Run each built page pasted into one script, as a reader would
	$(TEST)/bin/python -m pytest -n 2 tests/reader.py

long: $(TEST)/ready ## Run the pages that take long, where out of date, and record it
	$(TEST)/bin/python -m tests.sessions long $(ARGS)

backends: $(BACKENDS)/ready $(BACKENDS)/torch ## Run the pages that need JAX and PyTorch, where out of date, and record it
	$(BACKENDS)/bin/python -m tests.sessions backends $(ARGS)

ship: $(SHIP)/ready ## Run the pages on converters and runtimes, where out of date, and record it
	@command -v chromium >/dev/null || $(SHIP)/bin/playwright install chromium
	$(SHIP)/bin/python -m tests.sessions ship $(ARGS)

zoo: $(TEST)/ready ## Prove what pages offer for pasting on real models, where out of date
	$(TEST)/bin/python -m tests.zoo $(ARGS)

# Processors differ in whether TensorFlow turns oneDNN on by itself.
processors: ## Run every session twice, with TensorFlow's oneDNN turned off and on
	for onednn in 0 1; do \
	  export TF_ENABLE_ONEDNN_OPTS=$$onednn; \
	  $(MAKE) test && $(MAKE) long ARGS=--again && $(MAKE) backends ARGS=--again && $(MAKE) ship ARGS=--again && $(MAKE) zoo ARGS=.py || exit; \
	  echo "Every session passed with TF_ENABLE_ONEDNN_OPTS=$$onednn"; \
	done

versions: $(UV)/ready $(TEST)/ready ## Run pages, tables and files on other versions, where out of date, and record it
	$(TEST)/bin/python -m tests.versions $(ARGS)

lock: $(UV)/ready ## Pin the newest versions of all dependencies
	$(UV)/bin/uv pip compile --quiet --upgrade --group test --output-file .lock/test.txt
	for group in site reader backends uv; do \
	  $(UV)/bin/uv pip compile --quiet --upgrade --group $$group --no-emit-package torch \
	    --constraint .lock/test.txt --output-file .lock/$$group.txt || exit; \
	done
# What quantizes during training asks for an older absl-py than all others allow.
	sed -nE 's/^((tensorflow|keras|numpy|pytest|playwright)==[^\\]*).*/\1/p' .lock/test.txt \
	  | $(UV)/bin/uv pip compile --quiet --upgrade --group ship --constraint - \
	    --output-file .lock/ship.txt
	$(UV)/bin/uv pip compile --quiet --group torch --no-deps --no-generate-hashes \
	  --output-file .lock/torch.txt

next: $(UV)/ready ## Pin the newest TensorFlow and Keras before their release
	$(UV)/bin/uv pip compile --quiet --upgrade --group next --no-deps --no-generate-hashes \
	  --prerelease allow --output-file .lock/next.txt

clean: ## Remove everything that was set up or built
	rm -rf .venv .cache site

# Where no browser is installed, Playwright fetches one of its own.
browser: $(TEST)/ready
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
	  || command -v google-chrome-stable || test -n "$(CHROMIUM)" \
	  || $(TEST)/bin/playwright install chromium >/dev/null 2>&1 \
	  || echo "No browser is installed and none could be fetched: the tests that need" \
	    "one are skipped. Install Chromium to run them."

# An environment is ready when all of its lock file is installed. Only that of the
# backends needs pip, for PyTorch.
$(SITE)/ready: .lock/site.txt | $(UV)/ready
$(TEST)/ready: .lock/test.txt | $(UV)/ready
$(SHIP)/ready: .lock/ship.txt | $(UV)/ready
.venv/reader/ready: .lock/reader.txt | $(UV)/ready
.venv/%/ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 $*")'
	$(PYTHON) -m venv --clear $(if $(filter backends,$*),,--without-pip) .venv/$*
	$(UV)/bin/uv pip install --no-config --quiet --python .venv/$*/bin/python --require-hashes -r .lock/$*.txt
	@touch $@

$(BACKENDS)/ready: .lock/backends.txt | $(UV)/ready
# Not hashed: the builds of PyTorch for CPU and for CUDA share a version, not a file.
$(BACKENDS)/torch: $(BACKENDS)/ready .lock/torch.txt
	$(BACKENDS)/bin/python -m pip install --quiet --disable-pip-version-check -r .lock/torch.txt
	@touch $@

# uv installs in seconds what takes pip minutes.
$(UV)/ready: .lock/uv.txt
	$(PYTHON) -m venv --clear $(UV)
	$(UV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .lock/uv.txt
	@touch $@
