"""What the tests give to workers to do: these import this, and it is quickly imported."""

import os
import time
from dataclasses import dataclass

from seq2seq_lib.workers import THREADS

KILL = 9  # Windows has no name for it


@dataclass(frozen=True)
class Task:
    number: int


def halve(tell, n):
    tell({"whole": n})
    if n == 3:
        raise ValueError(f"{n} is odd")
    tell("nearly")
    return n / 2


def count(tell, n):
    for step in range(4):
        time.sleep(0.1)
        tell([step, os.getpid()])
    return n


def tell_and_return(tell, n):
    tell([n, os.getpid()])
    return n


def die_at_three(tell, n):
    tell(n)
    if n == 3:
        os.kill(os.getpid(), KILL)
    return n


def die_in_a_message(tell, marker):
    tell("small")
    if marker.exists():
        return "whole"
    marker.touch()
    tell("large" * 10**5)  # much more than a pipe holds


def wait_for_the_end(tell, folder, n):
    (folder / str(n)).touch()
    tell(n)
    for _ in range(300):
        if (folder / "end").exists():
            break
        time.sleep(0.1)


def meet(tell, folder, n):
    """Two at a time, or neither would ever find the other."""
    tell("begun")
    (folder / str(n)).touch()
    deadline = time.monotonic() + 30
    while not (folder / str(n ^ 1)).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def look_at_threads(tell):
    tell("looking")
    return [os.environ[name] for name in THREADS]


def return_what_cannot_be_sent(tell):
    return lambda: None


def return_ten_megabytes(tell):
    return bytes(10_000_000)


class OddError(Exception):
    """Pickles, and cannot be unpickled."""

    def __init__(self, text, number):
        super().__init__(text)


def raise_an_odd_error(tell, text):
    raise OddError(text, 1)
