# Short names for `python -m tools COMMAND`, which says and does the same on every system.
# Options go on: make test ARGS="-k lstm"; make serve ARGS=8001; make book PYTHON=python3.12

# Without another wish the environment's own Python is taken, once there is one.
PYTHON ?= $(shell .venv/bin/python -c '' 2>/dev/null && echo .venv/bin/python || echo python3)
export PYTHON

commands := help set-up book serve notebooks check test lint format strict-book \
            results pytorch bench bugs lock check-locks night clean

.DEFAULT_GOAL := help
.PHONY: $(commands)
$(commands):
	@"$$PYTHON" -E -m tools $@ $(ARGS)

# Another word gets the same program's sentence, which names the commands.
.DEFAULT:
	@"$$PYTHON" -E -m tools $@
