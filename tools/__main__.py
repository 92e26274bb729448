"""The command line: `python -m tools COMMAND`, which `make COMMAND` calls too."""

import inspect
import signal
import subprocess
import sys

from tools import commands
from tools.environment import BAD_INPUT, FAILED, INTERRUPTED, Refused

COMMANDS = {function.__name__.replace("_", "-"): function for function in commands.ALL}


def main(arguments):
    """Run one command; the exit code is 0, 1 (it failed), 2 (it cannot be meant) or 130."""
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        for name, function in COMMANDS.items():
            print(f"  {name:12} {inspect.getdoc(function).splitlines()[0]}")
        return 0
    name, *options = arguments
    if name not in COMMANDS:
        return refuse(f"unknown command {name!r}; expected one of {', '.join(COMMANDS)}")
    try:
        inspect.signature(COMMANDS[name]).bind(*options)
    except TypeError:
        words = [name, *(f"[{each}]" for each in inspect.signature(COMMANDS[name]).parameters)]
        return refuse(f"expected {' '.join(words)!r}, got {' '.join(arguments)!r}")
    try:
        COMMANDS[name](*options)
    except Refused as refused:
        return refuse(refused)
    except subprocess.CalledProcessError as error:
        print(f"tools: {name} stopped: the command above failed", file=sys.stderr)
        return INTERRUPTED if error.returncode == -signal.SIGINT else FAILED
    except OSError as error:
        print(f"tools: {name} stopped: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def refuse(sentence):
    print(f"tools: {sentence}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
