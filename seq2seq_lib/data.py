"""The questions: every addition there is, drawn as in the original, and split."""

from typing import NamedTuple

import numpy as np

from seq2seq_lib.encoding import shown


class Examples(NamedTuple):
    """Questions and their answers, two lists of texts of one length."""

    questions: list
    answers: list

    def take(self, places):
        """The examples at ``places``, in that order"""
        return Examples(*([texts[place] for place in places] for texts in self))


class Splits(NamedTuple):
    """To learn from, to choose with, and to look at once, at the end."""

    train: Examples
    validation: Examples
    test: Examples


def number_of_carries(a, b):
    """How often one is carried when a and b, arrays of numbers, are added by hand."""
    a, b, carry = _natural_numbers("a", a), _natural_numbers("b", b), 0
    carries = np.zeros(np.broadcast(a, b).shape, int)
    while np.any(a) or np.any(b):
        carry = (a % 10 + b % 10 + carry) // 10
        carries += carry
        a, b = a // 10, b // 10
    return carries


def number_of_digits(n):
    """How many digits the numbers n, an array, are written with: 1 for 0."""
    return np.char.str_len(_natural_numbers("n", n).astype(str))


def _natural_numbers(name, n):
    n = np.asarray(n)
    if n.dtype.kind not in "iu" or n.min(initial=0) < 0:
        raise ValueError(f"{name}: expected whole numbers, 0 or more, got {shown(n.tolist())}")
    return n


def make_additions(count, rng, *, max_digits=3, carries=None, digits=None, exclude=()):
    """``count`` different additions, none the mirror image (b+a) of another, as ``Examples``.

    Each number's length, 1 to ``max_digits``, is drawn uniformly, then its digits; what was there
    already is drawn again. To draw one of a set of weighted things again and again and keep the
    new ones is to sort the set by ``exponential / weight`` (Efraimidis and Spirakis 2006): no
    loop, hence none that never ends.

    carries : only sums with this many carries
    digits  : only these lengths of the two numbers, in either order: ``(1, 3)``
    exclude : questions that must not come, nor their mirror images

    Raises ValueError if there are fewer than ``count`` such additions.
    """
    _expect_whole_number("count", count, least=0)
    _expect_whole_number("max_digits", max_digits, least=1, most=3)
    if carries is not None:
        _expect_whole_number("carries", carries, least=0)
    if digits is not None and (not isinstance(digits, (list, tuple)) or len(digits) != 2):
        raise ValueError(f"digits: expected two lengths, like (1, 3), got {shown(digits)}")
    for length in digits or ():
        _expect_whole_number("digits", length, least=1, most=max_digits)
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: expected a numpy.random.Generator, got {shown(rng)}")
    pairs = 10**max_digits * (10**max_digits + 1) // 2
    if count > pairs:
        raise ValueError(f"count: expected at most {pairs}, all additions, got {shown(count)}")
    a, b = np.triu_indices(10**max_digits)  # each pair once, a <= b
    weight = _probability(a, max_digits) * _probability(b, max_digits) * np.where(a == b, 1, 2)
    allowed = np.ones(len(a), bool)
    if carries is not None:
        allowed &= number_of_carries(a, b) == carries
    if digits is not None:
        shorter, longer = sorted(digits)
        allowed &= (number_of_digits(a) == shorter) & (number_of_digits(b) == longer)
    exclude = list(exclude)
    if exclude:
        taken = np.array([_two_numbers(question) for question in exclude])
        taken = taken[taken.max(axis=1) < 10**max_digits]
        allowed &= ~np.isin(a * 10**max_digits + b, taken @ [10**max_digits, 1])
    a, b, weight = a[allowed], b[allowed], weight[allowed]
    if count > len(a):
        raise ValueError(
            f"count: expected at most {len(a)}, all such additions, got {shown(count)}"
        )
    drawn = np.argsort(rng.exponential(size=len(a)) / weight, kind="stable")[:count]
    drawn = rng.permutation(drawn)  # the likely ones came first
    swap = rng.random(count) < 0.5
    first, second = np.where(swap, (b[drawn], a[drawn]), (a[drawn], b[drawn]))
    return Examples(
        [f"{x}+{y}" for x, y in zip(first.tolist(), second.tolist(), strict=True)],
        [str(total) for total in (first + second).tolist()],
    )


def _two_numbers(question):
    parts = question.split("+") if isinstance(question, str) else ()
    if len(parts) != 2 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise ValueError(f"exclude: expected questions like '57+5', got {shown(question)}")
    return sorted(map(int, parts))


def _probability(n, max_digits):
    """Chance of drawing n: a length of n's or more (zeros in front are dropped), then its digits"""
    lengths = np.arange(1, max_digits + 1)
    return np.where(n[:, None] < 10.0**lengths, 10.0**-lengths, 0).mean(axis=1)


def split_additions(rng, *, train=45_000, validation=5_000, test=5_000, max_digits=3):
    """``Splits`` of that many additions; no question, nor its mirror image, is in two of them."""
    for name, size in (("train", train), ("validation", validation), ("test", test)):
        _expect_whole_number(name, size, least=0)
    examples = make_additions(train + validation + test, rng, max_digits=max_digits)
    return _split_at(examples, train, train + validation)


def split_examples(examples, rng, *, held_out=0.1):
    """``Splits`` of any examples, shuffled: ``held_out`` of them to validate, as many to test.

    A question and its mirror image land on the same side, so a part can be one larger than asked.
    """
    if not 0 <= held_out <= 0.5:
        raise ValueError(f"held_out: expected a share from 0 to 0.5, got {held_out!r}")
    groups = {}
    for place, question in enumerate(examples.questions):
        groups.setdefault(_mirror_key(question), []).append(place)
    groups = list(groups.values())
    order = [place for g in rng.permutation(len(groups)) for place in groups[g]]
    shuffled = examples.take(order)
    size = min(round(held_out * len(order)), len(order) // 2)
    cuts = [len(order) - 2 * size, len(order) - size]
    keys = [_mirror_key(question) for question in shuffled.questions]
    for k, cut in enumerate(cuts):
        while 0 < cut < len(keys) and keys[cut] == keys[cut - 1]:
            cut += 1
        cuts[k] = cut
    return _split_at(shuffled, *cuts)


def _split_at(examples, first, second):
    end = len(examples.questions)
    parts = range(0, first), range(first, second), range(second, end)
    return Splits(*(examples.take(part) for part in parts))


def _mirror_key(question):
    return tuple(sorted(question.split("+")))


def _expect_whole_number(name, value, *, least, most=None):
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{name}: expected a whole number, {span}, got {shown(value)}")
