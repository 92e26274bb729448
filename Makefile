# Everything a reader or a contributor types. `make` alone lists the targets.
# All paths are relative, so that a checkout path with spaces or accents works.

PYTHON ?= python3
PORT   ?= 8000

venv   := .venv
python := $(venv)/bin/python
stamp  := $(venv)/set-up-is-complete
site   := _build/html
torch  := 2.13.0

# Nothing outside the checkout is read for settings or written to: caches, kernels and settings
# of pip, Jupyter, IPython and matplotlib live in .cache/, and this environment's kernel is used.
cache := $(CURDIR)/.cache
export PIP_CACHE_DIR       := $(cache)/pip
export XDG_CACHE_HOME      := $(cache)/xdg
export XDG_CONFIG_HOME     := $(cache)/xdg-config
export JUPYTER_CONFIG_DIR  := $(cache)/jupyter/config
export JUPYTER_DATA_DIR    := $(cache)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(cache)/jupyter/runtime
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTERLAB_SETTINGS_DIR   := $(cache)/jupyter/lab-settings
export JUPYTERLAB_WORKSPACES_DIR := $(cache)/jupyter/lab-workspaces
export IPYTHONDIR          := $(cache)/ipython
export MPLCONFIGDIR        := $(cache)/matplotlib
export PYTHONNOUSERSITE    := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME JUPYTER_PATH JUPYTER_CONFIG_PATH

# A checkout that was moved, or another Python asked for on the command line, needs a new
# environment: the stamp's text is compared with what it would be now.
export wanted := $(CURDIR)
found  := $(shell cat $(stamp) 2>/dev/null)
ifneq ($(wanted),$(found))
.PHONY: $(stamp)
endif
version := -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
ifneq ($(filter command environment,$(origin PYTHON)),)
ifneq ($(shell $(PYTHON) $(version)),$(shell $(python) $(version)))
.PHONY: $(stamp)
endif
endif

.DEFAULT_GOAL := help
.PHONY: help set-up book strict-book test lint format serve notebooks results bench pytorch bugs lock clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

set-up: $(stamp)  ## create .venv with everything pinned (the other targets do it when needed)

# The stamp is written last, so an interrupted set-up starts again from an empty environment.
$(stamp): requirements.lock pyproject.toml | .cache/ipython/profile_default/ipython_kernel_config.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo 'This needs Python 3.11, 3.12 or 3.13 as "$(PYTHON)"; name another with: make PYTHON=python3.11 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo 'The venv module of "$(PYTHON)" is missing; on Debian or Ubuntu: sudo apt install python3-venv' >&2; exit 1; }
	@echo 'Setting up $(venv) (once, about a minute) ...'
	@rm -f $(stamp)
	@$(PYTHON) -m venv --clear $(venv)
	@$(python) -m pip install --quiet --require-hashes -r requirements.lock
	@$(python) -m pip install --quiet --no-deps --no-build-isolation -e .
	@printf '%s\n' "$$wanted" > $(stamp)

# Kernels talk to the book on this machine only (127.0.0.1), so their warning that the talk is not
# encrypted would frighten for nothing: errors are still logged.
.cache/ipython/profile_default/ipython_kernel_config.py:
	@mkdir -p $(@D)
	@echo 'c.IPKernelApp.log_level = 40' > $@

# A chapter runs again when its own cells change. What it imports or reads is watched here.
behind_the_chapters := $(wildcard seq2seq_lib/*.py seq2seq_lib/*/*.py seq2seq_lib/pretrained/*.npz book/results/*.json book/results/*/*.npz)
_build/up-to-date: $(stamp) $(behind_the_chapters)
	@rm -rf _build/.jupyter_cache _build/.doctrees
	@mkdir -p _build && touch $@

book: $(stamp) _build/up-to-date  ## build the website
	$(venv)/bin/jupyter-book build --quiet .
	@echo
	@echo "The site is at $(CURDIR)/$(site)/index.html (or type: make serve)"

strict-book: $(stamp)  ## build the website from nothing; every warning is an error
	rm -rf _build
	@mkdir -p _build && touch _build/up-to-date
	$(venv)/bin/jupyter-book build -W -n --keep-going .
	$(python) .ci/check_site.py $(site)

# One thread: our arrays are small, and more threads get in each other's way.
test: book  ## build the website, then run every test; some look at it in a browser
	OPENBLAS_NUM_THREADS=1 $(python) -m pytest

lint: $(stamp)  ## check style, formatting and spelling
	$(venv)/bin/ruff check .
	$(venv)/bin/ruff format --check .
	$(venv)/bin/codespell

format: $(stamp)  ## mend style and formatting
	$(venv)/bin/ruff check --fix .
	$(venv)/bin/ruff format .

serve: book  ## show the website on this machine only (PORT=8000)
	$(python) -m http.server --bind 127.0.0.1 --directory $(site) $(PORT)

notebooks: $(stamp)  ## open the chapters in JupyterLab
	$(venv)/bin/jupyter-lab --ip 127.0.0.1 book

results: $(stamp)  ## run what is missing in book/results, and ship the weights that it chooses
	$(python) -m seq2seq_lib results

bench: pytorch  ## compare our speed with PyTorch's
	$(python) -m benchmarks

pytorch: $(stamp)  ## add PyTorch to .venv, for the speed table and the parity tests
	@$(python) -c 'import torch' 2>/dev/null || $(python) -m pip install --quiet torch==$(torch)

bugs: $(stamp)  ## show which test catches which seeded bug
	$(python) -m tests.seeded_bugs

lock:  ## resolve requirements.lock again, to today's versions
	$(PYTHON) -m venv --clear .cache/lock
	.cache/lock/bin/python -m pip install --quiet uv
	.cache/lock/bin/uv pip compile requirements.txt pyproject.toml --extra development \
	  --universal --python-version 3.11 --fork-strategy fewest --upgrade --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean:  ## delete all that make has made
	rm -rf $(venv) .cache _build build seq2seq_lib.egg-info .pytest_cache .ruff_cache .hypothesis .coverage
	find seq2seq_lib tests benchmarks book .ci -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
