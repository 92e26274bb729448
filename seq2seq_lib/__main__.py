"""The command line: the only place that prints.

Exit codes: 0 done, 1 the run failed, 2 bad input, 130 interrupted.
"""

import argparse
import os
import signal
import sys
from dataclasses import fields

from seq2seq_lib.commands import evaluate, info, results, solve, train
from seq2seq_lib.experiments import EXPERIMENTS
from seq2seq_lib.recipe import CHOICES, VARIANTS, Recipe
from seq2seq_lib.training import DivergedError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
METAVARS = {int: "N", float: "X"}
NOT_OPTIONS = ["reverse", "peeky", "data", "characters", "question_width", "answer_width"]
HELP = {
    "about": "Teach a sequence-to-sequence LSTM to add, one character at a time, and ask it.",
    "start": "start with: python -m seq2seq_lib solve 57+5",
    "train": "train a model and save it after every epoch",
    "evaluate": "how many questions a model answers right",
    "solve": "answer questions, from the command line or from standard input, one a line",
    "info": "what a model file holds",
    "results": "run what is missing of the experiments that the book shows",
    "again": "run also what is there already",
    "model": "a shipped model's name or a file (default: reverse+peeky)",
    "variant": "what of the two switches is on (default: baseline)",
    "out": "file to write (default: VARIANT-seedN.npz)",
    "resume": "go on with the unfinished run in this file",
    "data": "file of lines like '16+75  _91  ' instead of the additions made here",
    "on": "which held-out questions to use (default: test)",
    "recipe": "the recipe: what is not given is as in the source text",
    "jobs": "runs at a time, one thread each (default: one a processor)",
    "scheduler": "run on the Dask cluster at this address, like tcp://host:8786, instead of here",
}


def main(arguments=None):
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if stream:  # there is none if it was closed
            getattr(stream, "reconfigure", dict)(errors="backslashreplace")
    try:
        options = vars(_parser().parse_args(arguments))
        command = options.pop("command")
        for line in command(**options):
            try:
                print(line, flush=True)
            except BrokenPipeError:  # the reader of our output has seen enough
                _flush_output()
                if command not in (train, results):  # these two are asked for their files
                    break
        return DONE
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except (DivergedError, OSError, MemoryError) as error:
        return _say(error or type(error).__name__, FAILED)
    except (ValueError, ImportError) as error:
        return _say(error, BAD_INPUT)
    finally:
        _flush_output()


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m seq2seq_lib", description=HELP["about"], epilog=HELP["start"]
    )
    parser.error = lambda message: parser.exit(BAD_INPUT, f"error: {_one_line(message)}\n")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, **about):
        name = function.__name__
        sub = commands.add_parser(name, help=HELP[name], description=HELP[name], **about)
        sub.error = parser.error
        sub.set_defaults(command=function)
        return sub

    sub = command(solve)
    sub.add_argument("questions", nargs="*", metavar="QUESTION")
    sub.add_argument("--model", default="reverse+peeky", help=HELP["model"])
    sub = command(train)
    sub.add_argument("--variant", choices=VARIANTS, help=HELP["variant"])
    sub.add_argument("--out", metavar="FILE", help=HELP["out"])
    sub.add_argument("--resume", metavar="FILE", help=HELP["resume"])
    sub.add_argument("--data", metavar="FILE", help=HELP["data"])
    _add_recipe_options(sub.add_argument_group(HELP["recipe"]))
    sub = command(evaluate)
    sub.add_argument("model", nargs="?", default="reverse+peeky", help=HELP["model"])
    sub.add_argument("--data", metavar="FILE", help=HELP["data"])
    sub.add_argument("--on", choices=("validation", "test"), help=HELP["on"])
    sub = command(info)
    sub.add_argument("model", nargs="?", default="reverse+peeky", help=HELP["model"])
    sub = command(results)
    sub.add_argument("names", nargs="*", metavar="EXPERIMENT", help=", ".join(EXPERIMENTS))
    sub.add_argument("--jobs", type=int, help=HELP["jobs"])
    sub.add_argument("--scheduler", metavar="ADDRESS", help=HELP["scheduler"])
    sub.add_argument("--again", action="store_true", help=HELP["again"])
    return parser


def _add_recipe_options(group):
    """One option for each field of the recipe that neither the variant nor the data decides."""
    for field in fields(Recipe):
        if field.name in NOT_OPTIONS:
            continue
        option = "--" + field.name.replace("_", "-")
        default = field.default if field.type is not bool else "off"
        about = f"{field.metadata['about']} (default: {default})"
        if field.type is bool:
            group.add_argument(option, action=argparse.BooleanOptionalAction, help=about)
        elif field.name in CHOICES:
            group.add_argument(option, choices=CHOICES[field.name], help=about)
        else:
            kind = field.type
            group.add_argument(option, type=kind, metavar=METAVARS[kind], help=about)


def _say(error, code):
    print(f"error: {_one_line(error)}", file=sys.stderr)
    return code


def _one_line(text):
    line = " ".join(str(text).split())
    return line if line.isprintable() else ascii(line)[1:-1]


def _flush_output():
    """Flush; what cannot be written is dropped, or Python would try again at exit and complain."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(signal_number, frame):
    """The first signal interrupts; those that follow must not interrupt the cleaning up."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _interrupt)
    sys.exit(main())
