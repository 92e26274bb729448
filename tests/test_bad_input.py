"""A hundred kinds of bad input and more: each is refused in one sentence, expected and got."""

import math

import numpy as np
import pytest
from runs import OPTIONS, command, error_line, small_checkpoint, small_recipe

from seq2seq_lib import (
    Examples,
    Layout,
    Recipe,
    Solver,
    Trainer,
    Vocabulary,
    load_checkpoint,
    load_pretrained,
    load_solver,
    make_additions,
    read_examples,
    save_checkpoint,
    split_additions,
)
from seq2seq_lib.data import number_of_carries, number_of_digits, split_examples
from seq2seq_lib.files import check_writable, read_ordinary_file
from seq2seq_lib.results import load_results, median_run


@pytest.fixture(scope="module")
def solver():
    checkpoint = small_checkpoint()
    return Solver(checkpoint.model, checkpoint.recipe)


def nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


QUESTIONS = {
    "nothing": "",
    "a blank": " ",
    "a line end": "\n",
    "a plus": "+",
    "no second number": "1+",
    "no first number": "+1",
    "a number": "57",
    "minus": "57-5",
    "times": "57*5",
    "a negative number": "-5+7",
    "a negative second number": "5+-7",
    "a sign": "5++7",
    "three numbers": "1+2+3",
    "an equation": "57+5=62",
    "an equals sign": "57+5=",
    "four digits": "1000+1",
    "four digits behind": "1+1000",
    "many digits": "9" * 1000 + "+1",
    "zeros in front": "007+1",
    "two zeros": "00+1",
    "a blank within a number": "5 7+5",
    "no plus": "57 5",
    "a comma": "57,5",
    "a fraction": "57.0+5",
    "an exponent": "1e2+5",
    "an underscore within": "5_7+5",
    "the delimiter": "57+5_62",
    "hexadecimal": "0x1+1",
    "words": "one+two",
    "full-width digits": "５７+5",
    "Arabic digits": "٥٧+٥",
    "a superscript": "5²+1",
    "a full-width plus": "57＋5",
    "a no-break space": "57\u00a0+5",
    "a zero-width space": "57\u200b+5",
    "a byte order mark": "\ufeff57+5",
    "right to left": "\u202e57+5",
    "NUL": "57+5\x00",
    "an escape code": "\x1b[31m57+5",
    "a surrogate": "\udc80+1",
    "an emoji": "🐈+1",
    "HTML": "<script>alert(1)</script>",
    "SQL": "'; DROP TABLE sums; --",
    "a format": "{}+%s",
    "code": "__import__('os').system('true')",
    "a path": "../../etc/passwd",
    "a megabyte": "1" * 1_000_000,
    "a megabyte of blanks": " " * 1_000_000 + "+",
    "two lines": "1+1\n2+2",
    "None": None,
    "a whole number": 3,
    "a fraction as number": 57.5,
    "NaN": math.nan,
    "a truth value": True,
    "bytes": b"1+1",
    "bytes in a list": [b"1+1"],
    "None in a list": [None],
    "a number in a list": ["1+1", 2],
    "a list in a list": [["1+1"]],
    "a very deep list": nested(100_000),
    "a list in itself": (lambda found: found.append(found) or found)([]),
    "a bad one among good ones": ["1+1"] * 1000 + ["1-1"],
    "a dict": {"question": "1+1"},
    "a set": {"1+1"},
    "an array": np.array(["1+1"]),
    "an array of numbers": np.zeros(3),
    "a generator": (question for question in ["1+1"]),
    "a function": len,
    "a class": str,
}


@pytest.mark.parametrize("kind", QUESTIONS)
@pytest.mark.parametrize("way", ["__call__", "encode", "trace", "normalised"])
def test_a_bad_question_is_refused_in_one_sentence(solver, kind, way):
    if way == "__call__" or not isinstance(QUESTIONS[kind], (list, tuple)):
        refused(lambda: getattr(solver, way)(QUESTIONS[kind]))


@pytest.mark.parametrize(
    "typed", ["57+5", " 57 + 5 ", "\t57\t+\t5\t", "57+5\n", "57 +5", " 57+ 5", "57+5\r\n"]
)
def test_a_good_question_is_taken_however_it_is_typed(solver, typed):
    answer = solver("57+5")
    assert solver(typed) == answer
    assert solver([typed, "1+1"]) == solver((typed, "1+1")) == [answer, solver("1+1")]
    assert solver.normalised(typed) == "57+5"


@pytest.mark.parametrize("questions", [[], ()])
def test_no_questions_have_no_answers(solver, questions):
    assert solver(questions) == []


def rng():
    return np.random.default_rng(0)


EXAMPLES = Examples(["1+1", "2+2"], ["2", "4"])
CALLS = {
    "no vocabulary": lambda: Vocabulary(None),
    "a character twice": lambda: Vocabulary("00"),
    "a list of characters": lambda: Vocabulary(["0"]),
    "the id of nothing": lambda: Vocabulary().id(""),
    "the id of two characters": lambda: Vocabulary().id("00"),
    "the id of a number": lambda: Vocabulary().id(0),
    "the id of the unknown": lambda: Vocabulary().id("x"),
    "an unknown character": lambda: Vocabulary().encode(["1x"], 2),
    "an unknown character far away": lambda: Vocabulary().encode(["\U0010ffff"], 2),
    "a long text": lambda: Vocabulary().encode(["123"], 2),
    "a text for texts": lambda: Vocabulary().encode("12", 2),
    "None for texts": lambda: Vocabulary().encode(None, 2),
    "an unknown side": lambda: Vocabulary().encode(["1"], 2, "left"),
    "a side that is none": lambda: Vocabulary().encode(["1"], 2, None),
    "an id too large": lambda: Vocabulary().decode([[13]]),
    "a negative id": lambda: Vocabulary().decode([[-1]]),
    "a fraction as id": lambda: Vocabulary().decode([[0.5]]),
    "ids without rows": lambda: Vocabulary().decode([0, 1]),
    "texts as ids": lambda: Vocabulary().decode([["0"]]),
    "a long question": lambda: Layout().encode_questions(["1000+1000"]),
    "a question with the delimiter": lambda: Layout().encode_questions(["1+1_"]),
    "a layout padded nowhere": lambda: Layout(padding="middle").encode_questions(["1+1"]),
    "a long answer": lambda: Layout().encode_answers(["12345"]),
    "a long answer with its end": lambda: Layout(end_mark=True).encode_answers(["12345"]),
    "an answer with the delimiter": lambda: Layout().encode_answers(["1_"]),
    "an answer that is a number": lambda: Layout().encode_answers([12]),
    "one answer for answers": lambda: Layout().encode_answers("12"),
    "no generator": lambda: make_additions(5, None),
    "a seed for a generator": lambda: make_additions(5, 0),
    "an old generator": lambda: make_additions(5, np.random.RandomState(0)),
    "too many additions": lambda: make_additions(500_501, rng()),
    "too many one-digit additions": lambda: make_additions(56, rng(), max_digits=1),
    "a billion additions": lambda: make_additions(10**9, rng()),
    "a number of additions beyond all": lambda: make_additions(10**5000, rng()),
    "minus one addition": lambda: make_additions(-1, rng()),
    "half an addition": lambda: make_additions(0.5, rng()),
    "a true addition": lambda: make_additions(True, rng()),
    "additions as text": lambda: make_additions("5", rng()),
    "numbers of no digits": lambda: make_additions(5, rng(), max_digits=0),
    "numbers of four digits": lambda: make_additions(5, rng(), max_digits=4),
    "four carries": lambda: make_additions(5, rng(), carries=4),
    "minus one carry": lambda: make_additions(5, rng(), carries=-1),
    "one length": lambda: make_additions(5, rng(), digits=2),
    "three lengths": lambda: make_additions(5, rng(), digits=(1, 2, 3)),
    "lengths as text": lambda: make_additions(5, rng(), digits=("1", "2")),
    "a length of zero": lambda: make_additions(5, rng(), digits=(0, 2)),
    "a length of four": lambda: make_additions(5, rng(), digits=(1, 4)),
    "a length beyond the longest": lambda: make_additions(5, rng(), digits=(1, 3), max_digits=2),
    "one excluded question": lambda: make_additions(5, rng(), exclude="1+1"),
    "an excluded number": lambda: make_additions(5, rng(), exclude=[11]),
    "an excluded word": lambda: make_additions(5, rng(), exclude=["one+two"]),
    "an excluded sum of three": lambda: make_additions(5, rng(), exclude=["1+2+3"]),
    "an excluded negative number": lambda: make_additions(5, rng(), exclude=["-1+2"]),
    "all excluded": lambda: make_additions(1, rng(), max_digits=1, exclude=all_one_digit()),
    "splits of a fraction": lambda: split_additions(rng(), train=0.9),
    "splits below zero": lambda: split_additions(rng(), test=-1),
    "splits larger than the space": lambda: split_additions(rng(), train=500_500),
    "all held out": lambda: split_examples(EXAMPLES, rng(), held_out=1),
    "less than nothing held out": lambda: split_examples(EXAMPLES, rng(), held_out=-0.1),
    "an unknown share held out": lambda: split_examples(EXAMPLES, rng(), held_out=math.nan),
    "carries of a negative number": lambda: number_of_carries(-1, 1),
    "carries of a fraction": lambda: number_of_carries(1, 0.5),
    "carries of infinity": lambda: number_of_carries(math.inf, 1),
    "digits of a text": lambda: number_of_digits("12"),
    "digits of a negative number": lambda: number_of_digits([-12]),
    "questions from nowhere": lambda: read_examples("no/such/file"),
    "questions from a folder": lambda: read_examples("."),
    "questions from None": lambda: read_examples(None),
    "questions from a device": lambda: read_examples("/dev/null/x"),
    "a model from nowhere": lambda: load_checkpoint("no/such/file"),
    "a model from a folder": lambda: load_checkpoint("."),
    "a model from a list": lambda: load_checkpoint(["model.npz"]),
    "a model from this file": lambda: load_solver(__file__),
    "a solver from NUL": lambda: load_solver("\0"),
    "results from this file": lambda: load_results(__file__),
    "results from nowhere": lambda: load_results("no/such/file"),
    "the median of nothing": lambda: median_run([]),
    "a file larger than allowed": lambda: read_ordinary_file(__file__, 10),
    "an unknown variant": lambda: load_pretrained("forward"),
    "a variant in another case": lambda: load_pretrained("Reverse+Peeky"),
    "a path for a variant": lambda: load_pretrained("../pretrained/baseline"),
    "None for a variant": lambda: load_pretrained(None),
    "a recipe of an unknown variant": lambda: Recipe.of("forward"),
    "a recipe of a list": lambda: Recipe.of(["peeky"]),
    "no hidden numbers": lambda: Recipe(hidden_size=0),
    "hidden numbers as text": lambda: Recipe(hidden_size="128"),
    "hidden numbers without end": lambda: Recipe(hidden_size=10**5000),
    "half an epoch": lambda: Recipe(epochs=0.5),
    "a learning rate of zero": lambda: Recipe(learning_rate=0),
    "a learning rate of NaN": lambda: Recipe(learning_rate=math.nan),
    "a switch as number": lambda: Recipe(reverse=1),
    "a seed below zero": lambda: Recipe(seed=-1),
    "an unknown schedule": lambda: Recipe(schedule="linear"),
    "characters without a blank": lambda: Recipe(characters="0_1"),
    "an unknown field": lambda: Recipe.from_dict({"depth": 2}),
    "a list for a recipe": lambda: Recipe.from_dict([]),
    "too few examples": lambda: small_recipe().for_examples(EXAMPLES),
    "other examples": lambda: small_recipe().splits(EXAMPLES),
    "no examples": lambda: small_recipe(data="sha256:0").splits(),
    "more additions than there are": lambda: Trainer(Recipe(train_size=500_000)),
    "a width too small": lambda: Trainer(small_recipe(question_width=3)),
    "an answer too wide": lambda: Trainer(small_recipe(answer_width=1)),
    "a foreign checkpoint": lambda: Trainer(small_recipe(seed=9), resume=small_checkpoint()),
}


def all_one_digit():
    return [f"{a}+{b}" for a in range(10) for b in range(10)]


def refused(call):
    with pytest.raises(ValueError, match="expected") as refusal:
        call()
    message = str(refusal.value)
    assert message.isprintable() and len(message) < 300, message
    assert ", got " in message or ": expected " in message, message


@pytest.mark.parametrize("kind", CALLS)
def test_a_bad_call_is_refused_in_one_sentence(kind):
    refused(CALLS[kind])


@pytest.mark.parametrize("path", ["", ".", "no/such/folder/file", "x" * 300])
def test_a_bad_target_is_refused_in_one_sentence(path):
    with pytest.raises(OSError, match="cannot be written: ") as refusal:
        check_writable(path)
    assert str(refusal.value).isprintable()


COMMANDS = {
    "nothing": [],
    "an unknown command": ["learn"],
    "an unknown option": ["train", "--depth", "2"],
    "a question that is none": ["solve", "57-5"],
    "a good and a bad question": ["solve", "1+1", "1-1"],
    "an empty question": ["solve", ""],
    "a question like an option": ["solve", "-5+7"],
    "a question not in ASCII": ["solve", "５７+5"],
    "an escape code": ["solve", "\x1b[31m1+1"],
    "an unknown model": ["solve", "--model", "forward", "1+1"],
    "a model without a name": ["solve", "--model", "", "1+1"],
    "an escape code as model": ["solve", "--model", "\x1b[2J\n", "1+1"],
    "a folder as model": ["info", "."],
    "a text as model": ["info", __file__],
    "a device as model": ["info", "/dev/zero"],
    "two models": ["info", "baseline", "peeky"],
    "evaluating on training questions": ["evaluate", "--on", "train"],
    "evaluating on a folder": ["evaluate", "--data", "."],
    "evaluating on Python": ["evaluate", "--data", __file__],
    "evaluating on nothing": ["evaluate", "--data", ""],
    "an unknown variant": ["train", "--variant", "forward"],
    "an unknown side": ["train", "--padding", "left"],
    "an unknown schedule": ["train", "--schedule", "linear"],
    "epochs as word": ["train", "--epochs", "many"],
    "epochs below zero": ["train", "--epochs", "-1"],
    "half an epoch": ["train", "--epochs", "0.5"],
    "an epoch without a number": ["train", "--epochs"],
    "a seed below zero": ["train", "--seed", "-1"],
    "a learning rate of zero": ["train", "--learning-rate", "0"],
    "a learning rate of NaN": ["train", "--learning-rate", "nan"],
    "an infinite learning rate": ["train", "--learning-rate", "inf"],
    "no hidden numbers": ["train", "--hidden-size", "0"],
    "too many hidden numbers": ["train", "--hidden-size", "1000000"],
    "a model too large to keep": ["train", "--hidden-size", "1024", "--train-size", "9"],
    "a batch of none": ["train", "--batch-size", "0"],
    "no questions to train on": ["train", "--train-size", "0"],
    "more questions than there are": ["train", "--train-size", "500000"],
    "training on nothing": ["train", "--data", ""],
    "training on a folder": ["train", "--data", "."],
    "training on Python": ["train", "--data", __file__],
    "resuming nothing": ["train", "--resume", ""],
    "resuming what is not there": ["train", "--resume", "no/such/file"],
    "resuming a text": ["train", "--resume", __file__],
    "resuming what was shipped": ["train", "--resume", "SHIPPED"],
    "resuming another variant": ["train", "--resume", "MODEL", "--variant", "peeky"],
    "resuming with another seed": ["train", "--resume", "MODEL", "--seed", "5"],
    "resuming to fewer epochs": ["train", "--resume", "MODEL", "--epochs", "1"],
    "an unknown experiment": ["results", "alchemy"],
    "no jobs": ["results", "--jobs", "0"],
    "jobs below zero": ["results", "--jobs", "-2"],
    "jobs as word": ["results", "--jobs", "all"],
    "jobs and a scheduler": ["results", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:8786"],
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_bad_command_ends_with_code_2_and_one_line(tmp_path, kind):
    save_checkpoint(tmp_path / "model.npz", small_checkpoint())
    save_checkpoint(tmp_path / "shipped.npz", without_optimizer())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    places = {"MODEL": "model.npz", "SHIPPED": "shipped.npz"}
    done = command(*(places.get(part, part) for part in COMMANDS[kind]), cwd=tmp_path)
    line = error_line(done, 2)
    assert line.isprintable() and len(line) < 2000 and done.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def without_optimizer():
    recipe = small_recipe(epochs=0)
    return Trainer(recipe).checkpoint(resumable=False)


def test_options_of_a_resumed_run_that_agree_with_it_are_no_mistake(tmp_path):
    path = tmp_path / "model.npz"
    save_checkpoint(path, small_checkpoint())
    line = ["train", "--resume", path, "--variant", "baseline", *OPTIONS, "--epochs", 3]
    assert command(*line).stderr == ""
    assert len(load_checkpoint(path).history) == 3
