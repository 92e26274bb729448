"""The command line in a process of its own: what a person types, and what a machine does to it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from runs import (
    OPTIONS,
    ROOT,
    bits,
    command,
    command_line,
    environment,
    error_line,
    small_checkpoint,
    small_recipe,
)

from seq2seq_lib import VARIANTS, load_checkpoint, save_checkpoint

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals, pipes and terminals")
DONE, BAD_INPUT = 0, 2
COMMANDS = ["train", "evaluate", "solve", "info", "results"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A file with a small model."""
    path = tmp_path_factory.mktemp("models") / "small.npz"
    save_checkpoint(path, small_checkpoint())
    return path


@pytest.fixture(scope="module")
def japanese(tmp_path_factory):
    """A file with a model that has seen one epoch of answers in Japanese, and its questions."""
    folder = tmp_path_factory.mktemp("japanese")
    lines = [f"{n:<4}_{'吾輩' if n % 2 else '猫猫'}\n" for n in range(60)]
    (folder / "questions.txt").write_text("".join(lines), encoding="utf-8")
    options = ["--hidden-size", 16, "--epochs", 1, "--out", folder / "model.npz"]
    done = command("train", "--data", folder / "questions.txt", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def output(finished_process):
    """The lines on standard output of a process that ended well and said nothing else."""
    found = finished_process.returncode, finished_process.stderr
    assert found == (0, ""), found
    return finished_process.stdout.splitlines()


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_help_explains_every_command_and_option(arguments):
    text = "\n".join(output(command(*arguments, "--help")))
    assert text.startswith("usage: python -m seq2seq_lib")
    assert all(name in text for name in (COMMANDS if not arguments else ["--help"]))


def test_help_to_train_has_every_choice_of_the_recipe_with_its_default():
    text = "\n".join(output(command("train", "--help")))
    for option in ("--hidden-size N", "--learning-rate X", "--padding {end,front}", "--seed N"):
        assert option in text
    assert "default: 128" in text and "default: 0.001" in text


def test_the_first_thing_a_newcomer_types_works():
    assert output(command("solve", "57+5")) == ["62"]


def test_questions_are_answered_from_the_command_line_in_their_order(model):
    questions = ["57+5", " 1 + 2 ", "999+999"]
    one_by_one = [output(command("solve", "--model", model, question)) for question in questions]
    assert [[line] for line in output(command("solve", "--model", model, *questions))] == one_by_one


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_questions_are_answered_from_standard_input_blank_lines_staying_blank(model, end):
    questions = [f"{n}+{999 - n}" for n in range(1000)]
    typed = end.join([*questions[:500], "", *questions[500:]])
    answers = output(command("solve", "--model", model, input=typed))
    assert answers[500] == "" and len(answers) == 1001
    assert answers[:3] == output(command("solve", "--model", model, *questions[:3]))
    assert answers[-1:] == output(command("solve", "--model", model, questions[-1]))


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (b"", "standard input: expected questions, one a line, got nothing"),
        (b"1+1\n2+2\nthree\n4+4\n", "standard input, line 3: expected two numbers .* got 'three'"),
        (b"1+1\n\xff\xfe\x00", "standard input, line 2: expected UTF-8 text, got "),
        (bytes(range(256)) * 40, "standard input, line 1: "),
        (b"1+1\n\n1+1\x00\n", "standard input, line 3: .* got '1\\+1\\\\x00'"),
        (b"1" * 1_000_000, "standard input: expected lines of at most 100,000 bytes"),
        (b"1+1\n" * 60_000 + b"x", "standard input, line 60001: "),
    ],
)
def test_bad_standard_input_is_refused_by_its_line(model, typed, named):
    done = command("solve", "--model", model, input=typed, text=False, encoding=None)
    done.stderr = done.stderr.decode()
    line = error_line(done, 2)
    assert re.match(named, line), line
    if typed.endswith(b"x"):
        assert done.stdout.count(b"\n") == typed.count(b"\n")  # what came before is answered


@posix
def test_a_reader_that_has_seen_enough_is_no_error(model):
    for arguments in (["info", model], ["solve", "--model", model, *["1+1"] * 5000]):
        child = subprocess.Popen(
            command_line(*arguments),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout.readline()
        child.stdout.close()
        assert (child.wait(), child.stderr.read()) == (0, b"")
        child.stderr.close()


ENDLESS = """
import os, subprocess, sys
text, times, *line = sys.argv[1:]
child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
try:
    for _ in range(int(times)):
        child.stdin.write(text.encode() * 1000)
    child.stdin.close()
except BrokenPipeError:
    pass
print(os.wait4(child.pid, 0)[2].ru_maxrss)
"""


@posix
def test_endless_standard_input_takes_no_more_memory_than_a_short_one(model):
    """20 MB of lines, or of one line, against four bytes: the peak is the same within 10 MB."""

    def peak(text, times):
        line = command_line("solve", "--model", model)
        done = subprocess.run(
            [sys.executable, "-c", ENDLESS, text, str(times), *line],
            capture_output=True,
            text=True,
            env=environment(),
        )
        assert done.returncode == 0
        return int(done.stdout) / (1000 if sys.platform == "linux" else 1_000_000), done.stderr

    usual, errors = peak("1+1\n", 1)
    assert errors == "" and peak(" " * 99 + "\n", 200)[0] < usual + 10
    endless, errors = peak("1" * 1000, 20)
    assert endless < usual + 10 and "expected lines of at most 100,000 bytes" in errors


@posix
@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", ">/dev/full", "</dev/null"])
def test_streams_that_are_closed_or_full_end_in_one_line_at_most(model, stream):
    line = f'exec "$@" {stream}'
    done = subprocess.run(
        ["sh", "-c", line, "sh", *command_line("solve", "--model", model)],
        input="" if stream.startswith("<") else "1+1\n",
        capture_output=True,
        text=True,
        env=environment(),
    )
    expected = {
        "<&-": (2, "error: standard input: expected questions, one a line, got nothing\n"),
        "</dev/null": (2, "error: standard input: expected questions, one a line, got nothing\n"),
        ">&-": (0, ""),
        "2>&-": (0, ""),
        ">/dev/full": (1, "error: [Errno 28] No space left on device\n"),
    }[stream]
    assert (done.returncode, done.stderr) == expected


@posix
@pytest.mark.parametrize("changes", [{"TERM": "dumb"}, {"COLUMNS": "1"}, {"TERM": None}])
def test_training_on_any_terminal_works(tmp_path, changes):
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command_line("train", *OPTIONS, "--out", tmp_path / "model.npz"),
        env=environment(**changes),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while chunk := read_terminal(ours):
        shown += chunk
    os.close(ours)
    assert child.wait() == 0
    assert b"epoch 2 of 2: loss" in shown and b"Traceback" not in shown and b"rror" not in shown


def read_terminal(descriptor):
    try:
        return os.read(descriptor, 10_000)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


ASCII_ONLY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("changes", [{"LC_ALL": "C"}, ASCII_ONLY, {"PYTHONIOENCODING": "ascii"}])
def test_answers_in_japanese_are_printed_wherever_and_escaped_where_they_cannot_be(
    japanese, changes
):
    line = command_line("solve", "--model", japanese / "model.npz", "7", "8")
    done = subprocess.run(line, capture_output=True, env=environment(**changes))
    assert (done.returncode, done.stderr) == (0, b"")
    usual = command("solve", "--model", japanese / "model.npz", "7", "8").stdout
    assert any(character in usual for character in "吾輩猫")
    assert done.stdout in (usual.encode(), usual.encode("ascii", "backslashreplace"))


def test_a_model_of_other_questions_is_evaluated_on_them(japanese):
    questions = japanese / "questions.txt"
    lines = output(command("evaluate", japanese / "model.npz", "--data", questions))
    assert lines[0].split() == ["questions", "6"] and len(lines) == 3
    line = error_line(command("evaluate", japanese / "model.npz"), 2)
    assert line == "data: expected the file of questions that this recipe is for"


def test_evaluation_tells_accuracy_by_carries(model):
    lines = output(command("evaluate", model, "--on", "validation"))
    assert lines[0].split() == ["questions", "50"]
    assert lines[1].startswith("exact match") and lines[2].startswith("per-character accuracy")
    assert sum(int(line.split()[-1]) for line in lines[3:]) == 50


@pytest.mark.parametrize("variant", VARIANTS)
def test_info_tells_the_recipe_and_the_course_of_training(variant):
    lines = output(command("info", variant))
    recipe = dict(line.split(None, 1) for line in lines[lines.index("recipe") + 1 :])
    assert lines[0].split() == ["variant", variant] and recipe["hidden_size"] == "128"
    assert lines[2].split() == ["epochs", "25", "of", "25"] and lines[27].startswith("   25  loss")


def test_training_writes_a_file_that_resumes_bit_identical(tmp_path):
    paths = {name: tmp_path / f"{name} 吾輩.npz" for name in ("whole", "half", "resumed")}
    output(command("train", *OPTIONS, "--out", paths["whole"]))
    output(command("train", *OPTIONS, "--epochs", 1, "--out", paths["half"]))
    resume = ["--resume", paths["half"], "--epochs", 2, "--out", paths["resumed"]]
    assert output(command("train", *resume))[0].startswith("epoch 2 of 2: loss")
    whole, half, resumed = (load_checkpoint(paths[name]) for name in paths)
    assert bits(whole) == bits(resumed) == bits(small_checkpoint()) != bits(half)
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in paths.values())


def test_a_resumed_file_is_its_own_target(tmp_path):
    path = tmp_path / "model.npz"
    output(command("train", *OPTIONS, "--epochs", 1, "--out", path))
    output(command("train", "--resume", path, "--epochs", 2))
    assert bits(load_checkpoint(path)) == bits(small_checkpoint())


def test_without_a_name_the_file_is_called_after_variant_and_seed(tmp_path):
    output(command("train", *OPTIONS, "--variant", "peeky", "--seed", 3, cwd=tmp_path))
    assert os.listdir(tmp_path) == ["peeky-seed3.npz"]
    assert load_checkpoint(tmp_path / "peeky-seed3.npz").recipe == small_recipe("peeky", seed=3)


def test_no_epochs_save_a_model_that_has_learnt_nothing(tmp_path):
    path = tmp_path / "model.npz"
    assert output(command("train", *OPTIONS, "--epochs", 0, "--out", path)) == [f"saved {path}"]
    assert load_checkpoint(path).history == []


def test_a_diverging_run_fails_in_one_line_and_keeps_the_file(tmp_path, model):
    path = tmp_path / "model.npz"
    path.write_bytes(model.read_bytes())
    done = command("train", *OPTIONS, "--learning-rate", 1000, "--out", path)
    assert "at step 2: the loss is" in error_line(done, 1)
    assert path.read_bytes() == model.read_bytes() and os.listdir(tmp_path) == ["model.npz"]


@posix
@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 3])
@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupted_training_says_so_and_resumes_bit_identical(tmp_path, numbers, epoch):
    path = tmp_path / "model.npz"
    child = subprocess.Popen(
        command_line("train", *OPTIONS, "--epochs", 500, "--out", path),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(epoch):
        assert child.stdout.readline().startswith("epoch ")
    for number in numbers:
        child.send_signal(number)
        time.sleep(0.01)
    _, errors = child.communicate()
    assert (child.returncode, errors) == (130, "error: interrupted\n")
    assert os.listdir(tmp_path) == ["model.npz"]
    done = len(load_checkpoint(path).history)
    assert epoch <= done < 500
    output(command("train", "--resume", path, "--epochs", done + 1))
    output(command("train", *OPTIONS, "--epochs", done + 1, "--out", tmp_path / "whole.npz"))
    assert bits(load_checkpoint(path)) == bits(load_checkpoint(tmp_path / "whole.npz"))


@pytest.mark.parametrize("place", ["no/such/folder/model.npz", "folder", "n" * 256])
def test_a_target_that_cannot_be_written_is_refused_before_training(tmp_path, place):
    (tmp_path / "folder").mkdir()
    done = command("train", "--epochs", 1000, "--out", place, cwd=tmp_path)
    assert error_line(done, 1).startswith(f"{place}: cannot be written: ")
    assert done.stdout == "" and os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize("home", [None, "/nonexistent", "/proc/1/no"])
def test_no_home_is_needed(model, home):
    line = command_line("info", model)
    done = subprocess.run(line, capture_output=True, text=True, env=environment(HOME=home))
    assert output(done)


def test_no_progress_bar_is_needed(tmp_path):
    (tmp_path / "stub" / "tqdm").mkdir(parents=True)
    (tmp_path / "stub" / "tqdm" / "__init__.py").write_text("raise ImportError('no tqdm')")
    line = command_line("train", *OPTIONS, "--out", tmp_path / "model.npz")
    env = environment()
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "stub"), env["PYTHONPATH"]])
    done = subprocess.run(line, capture_output=True, text=True, env=env)
    assert output(done)[-1].startswith("saved ")


@pytest.mark.parametrize("threads", ["0", "1", "-1", "many"])
def test_any_setting_of_threads_is_survived(model, threads):
    line = command_line("solve", "--model", model, "1+1")
    env = environment(OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=None)
    done = subprocess.run(line, capture_output=True, text=True, env=env)
    assert len(output(done)) == 1


def test_the_package_is_imported_in_twenty_threads_at_once():
    script = """
import threading
found = []
def load():
    import seq2seq_lib
    found.append(seq2seq_lib.load_pretrained("baseline")("1+1"))
threads = [threading.Thread(target=load) for _ in range(20)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == 20 and len(set(found)) == 1, found
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert output(done) == []


def test_importing_the_package_imports_numpy_alone():
    script = """
import sys
import seq2seq_lib
tops = {name.partition(".")[0] for name in sys.modules}
print(*sorted(tops & {"matplotlib", "ipywidgets", "IPython", "tqdm", "torch", "numpy"}))
"""
    line = [sys.executable, "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, env=environment())
    assert output(done) == ["numpy"]


def test_results_are_not_computed_twice(tmp_path):
    """Everything is there: the command only says so, in a copy of what it reads."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "results").mkdir()
    source = ROOT / "book" / "results" / "variants.json"
    copy = tmp_path / "book" / "results" / "variants.json"
    copy.write_bytes(source.read_bytes())
    lines = output(command("results", "variants", cwd=tmp_path))
    assert [line.split(":")[0] for line in lines] == [f"pretrained {name}" for name in VARIANTS]
    assert copy.read_bytes() == source.read_bytes()


def test_training_does_not_overwrite_what_it_was_not_told_to(tmp_path):
    assert command("train", *OPTIONS, cwd=tmp_path).returncode == DONE
    before = (tmp_path / "baseline-seed0.npz").read_bytes()
    line = error_line(command("train", *OPTIONS, cwd=tmp_path), BAD_INPUT)
    assert line.startswith("baseline-seed0.npz: exists") and "--resume" in line
    assert (tmp_path / "baseline-seed0.npz").read_bytes() == before
    assert command("train", *OPTIONS, "--out", "other.npz", cwd=tmp_path).returncode == DONE


def test_training_goes_on_when_nobody_reads_its_output_any_more(tmp_path):
    child = subprocess.Popen(
        command_line("train", *OPTIONS, "--epochs", "4", "--out", "m.npz"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline().startswith("epoch 1 of 4")
    child.stdout.close()
    assert (child.wait(60), child.stderr.read()) == (DONE, "")
    child.stderr.close()
    assert len(load_checkpoint(tmp_path / "m.npz").history) == 4


def test_options_that_would_change_nothing_are_refused(tmp_path):
    file = tmp_path / "sums.txt"
    file.write_text("".join(f"{k}+1_{k + 1}\n" for k in range(40)))
    line = error_line(command("train", "--data", file, "--train-size", "10"), BAD_INPUT)
    assert line.startswith("train_size: expected no such option")
    line = error_line(command("evaluate", "baseline", "--data", file, "--on", "test"), BAD_INPUT)
    assert line.startswith("on: expected no such option")


def test_a_question_that_the_model_cannot_read_is_named_by_its_line(tmp_path):
    file = tmp_path / "sums.txt"
    file.write_text("1+1_2\n1234+5678_6912\n")
    line = error_line(command("evaluate", "baseline", "--data", file), BAD_INPUT)
    assert line.startswith(f"{file}: line 2: expected at most 7 characters")


def test_standard_input_may_begin_with_a_byte_order_mark():
    answered = command("solve", "--model", "baseline", input="\ufeff57+5\n", encoding="utf-8")
    assert (answered.returncode, answered.stderr) == (DONE, "") and answered.stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alchemy"], "experiment: expected one of variants, "),
        (["--jobs", "0"], "jobs: expected at least 1, got 0"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "jobs: expected no such option"),
    ],
)
def test_what_is_wrong_with_an_order_for_results_is_named(tmp_path, arguments, message):
    assert error_line(command("results", *arguments, cwd=tmp_path), BAD_INPUT).startswith(message)


def test_a_scheduler_that_is_no_address_is_refused_with_nothing_written(tmp_path):
    (tmp_path / "book" / "results").mkdir(parents=True)
    line = error_line(
        command("results", "variants", "--scheduler", "nowhere", cwd=tmp_path), BAD_INPUT
    )
    assert line.startswith("scheduler: expected an address such as tcp://")
    assert not list((tmp_path / "book" / "results").iterdir())


def test_results_are_refused_outside_a_checkout(tmp_path):
    line = error_line(command("results", "variants", cwd=tmp_path), BAD_INPUT)
    assert line.startswith("expected a checkout of the project here")
    assert not list(tmp_path.iterdir())
