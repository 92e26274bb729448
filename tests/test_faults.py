"""Faults of the machine, injected while a run goes on: killed, out of space, file by file."""

import os
import re
import signal
import subprocess
import sys

import pytest
from runs import (
    OPTIONS,
    bits,
    command,
    command_line,
    environment,
    error_line,
    finished,
    small_checkpoint,
    small_recipe,
)

from seq2seq_lib import load_checkpoint, save_checkpoint
from seq2seq_lib.checkpoint import to_bytes
from seq2seq_lib.files import WriteError

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other signals and limits")
EPOCHS = 40
SLOW_SAVES = """
import os, sys, time
from seq2seq_lib.__main__ import main
write, replace = os.fsync, os.replace
os.fsync = lambda descriptor: (time.sleep(0.003), write(descriptor))[1]
os.replace = lambda *paths: (time.sleep(0.003), replace(*paths))[1]
sys.exit(main(sys.argv[1:]))
"""


@posix
def test_a_training_killed_at_any_moment_resumes_bit_identical_to_one_that_was_not(tmp_path, rng):
    """Killed again and again, as often within a save as between saves, until it is through."""
    path, kills = tmp_path / "model.npz", 0
    recipe = [*OPTIONS, "--train-size", "64", "--epochs", EPOCHS, "--out", path]
    while not path.exists() or len(load_checkpoint(path).history) < EPOCHS:
        start = ["--resume", path, "--epochs", EPOCHS] if path.exists() else recipe
        child = subprocess.Popen(
            [sys.executable, "-c", SLOW_SAVES, "train", *map(str, start)],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if child.stdout.readline():  # one epoch a start at least, and then chance
            try:
                child.wait(rng.uniform(0, 0.02))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                kills += 1
        _, errors = child.communicate()
        assert errors == b"" and child.returncode in (0, -signal.SIGKILL)
        assert load_checkpoint(path).recipe.train_size == 64
    assert kills >= 3
    whole = finished(small_recipe(train_size=64, epochs=EPOCHS)).checkpoint()
    assert bits(load_checkpoint(path)) == bits(whole)


LIMITED = """
import resource, signal, sys
from seq2seq_lib.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[2:]))
"""


@posix
@pytest.mark.parametrize("limit", [0, 1, 4096, 40_000])
def test_a_disk_that_is_full_fails_the_run_in_one_line_and_keeps_the_old_file(tmp_path, limit):
    path = tmp_path / "model.npz"
    save_checkpoint(path, small_checkpoint())
    before = path.read_bytes()
    done = subprocess.run(
        [
            *[sys.executable, "-W", "error", "-c", LIMITED, str(limit)],
            *["train", *OPTIONS, "--seed", "1", "--out", str(path)],
        ],
        capture_output=True,
        text=True,
        env=environment(),
    )
    line = error_line(done, 1)
    assert line.startswith(f"{path}: could not write ") and "bytes: File too large" in line
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.npz"]


def test_saving_a_checkpoint_fails_whole_whichever_write_fails(tmp_path, monkeypatch):
    """Every call of the system that a save makes fails once, until one save needs no more."""
    path = tmp_path / "model.npz"
    old, new = to_bytes(small_checkpoint()), small_checkpoint("peeky")
    calls, n = 0, 0

    def failing(function):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls == n:
                raise OSError(28, "No space left on device")
            return function(*arguments, **options)

        return call

    for name in ("open", "fsync", "chmod", "replace", "stat", "lstat", "access"):
        monkeypatch.setattr(os, name, failing(getattr(os, name)))
    while calls >= n:
        calls, n = -1_000_000, n + 1
        path.write_bytes(old)
        calls = 0
        try:
            save_checkpoint(path, new)
            outcome = to_bytes(new)
        except WriteError:
            outcome = old
        made, calls = calls, -1_000_000
        assert path.read_bytes() == outcome and os.listdir(tmp_path) == ["model.npz"]
        calls = made
    assert n > 8


@posix
def test_a_folder_that_vanishes_during_training_fails_in_one_line(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    child = subprocess.Popen(
        command_line("train", *OPTIONS, "--epochs", 500, "--out", folder / "model.npz"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline().startswith("epoch 1")
    folder.rename(tmp_path / "elsewhere")
    done = subprocess.CompletedProcess(child.args, None, *child.communicate())
    done.returncode = child.returncode
    assert re.search(r"could not write .* bytes: there is no folder", error_line(done, 1))
    assert os.listdir(tmp_path / "elsewhere") == ["model.npz"]
    load_checkpoint(tmp_path / "elsewhere" / "model.npz")


@posix
def test_a_file_mounted_read_only_is_refused_before_training(tmp_path):
    """Where nothing may be mounted, a folder takes the file's place: refused all the same."""
    path = tmp_path / "model.npz"
    path.write_bytes(b"old")
    script = """
mount --bind "$1" "$1" 2>/dev/null && mount -o remount,ro,bind "$1" 2>/dev/null || {
  umount "$1" 2>/dev/null
  rm "$1" && mkdir "$1"
}
shift
"$@"
code=$?
umount "$OUT" 2>/dev/null
exit $code
"""
    line = command_line("train", *OPTIONS, "--epochs", 500, "--out", path)
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(path), *line],
        capture_output=True,
        text=True,
        env=environment(OUT=str(path)),
    )
    assert error_line(done, 1).startswith(f"{path}: cannot be written: ")
    assert done.stdout == "" and os.listdir(tmp_path) == ["model.npz"]


@pytest.mark.parametrize("size", [0, 1, 1000, 40_000])
def test_a_truncated_file_is_not_resumed_and_not_touched(tmp_path, size):
    path = tmp_path / "model.npz"
    path.write_bytes(to_bytes(small_checkpoint())[:size])
    before = path.read_bytes()
    line = error_line(command("train", "--resume", path, "--epochs", 3), 2)
    assert line.startswith(f"{path}: expected ")
    assert path.read_bytes() == before
