# Short names for `python -m tools COMMAND`, which says and does the same on every system.
# Options go on: make test ARGS="-k lstm"; make serve ARGS=8001; make book PYTHON=python3.12

# Without another wish the environment's own Python is taken, once there is one.
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)
export PYTHON

commands := help set-up book serve notebooks check test lint format strict-book \
            results pytorch bench bugs lock check-locks night clean

.DEFAULT_GOAL := help
.PHONY: $(commands)
$(commands):
	@"$$PYTHON" -m tools $@ $(ARGS)
