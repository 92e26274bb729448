"""A file is replaced whole or not at all, whatever fails, and only ordinary files are read."""

import errno
import os
import stat
import subprocess
import sys
import tempfile

import pytest
from runs import environment

from seq2seq_lib.files import WriteError, check_writable, read_ordinary_file, replace_file

CALLS = [(os, name) for name in ("open", "fsync", "chmod", "replace", "stat", "lstat")]
CALLS += [(tempfile, "mkstemp"), (os, "access")]
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other links, modes and limits")


def contents(folder):
    """Every name in a folder with what is in it, links followed."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Failing:
    """Makes the n-th call of all functions of an operating system's fail, or none if n is 0."""

    def __init__(self, monkeypatch, n=0, error=errno.EIO):
        self.calls, self.n, self.error = 0, n, error
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self.wrapped(getattr(module, name)))

    def wrapped(self, function):
        def call(*arguments, **options):
            self.calls += 1
            if self.calls == self.n:
                raise OSError(self.error, os.strerror(self.error))
            return function(*arguments, **options)

        return call


def calls_of_one_write(tmp_path):
    with pytest.MonkeyPatch.context() as monkeypatch:
        counter = Failing(monkeypatch)
        replace_file(tmp_path / "file", b"new")
    return counter.calls


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_whichever_call_fails_the_file_is_the_old_one_or_the_new_and_nothing_else_is_left(
    tmp_path, error
):
    (tmp_path / "file").write_bytes(b"old")
    failures = 0
    total = calls_of_one_write(tmp_path)
    assert total >= 8
    for n in range(1, total + 1):
        (tmp_path / "file").write_bytes(b"old")
        with pytest.MonkeyPatch.context() as monkeypatch:
            Failing(monkeypatch, n, error)
            try:
                replace_file(tmp_path / "file", b"new")
                expected = b"new"
            except WriteError as refusal:
                assert str(refusal) == (
                    f"{tmp_path / 'file'}: could not write 3 bytes: {os.strerror(error)}"
                )
                expected, failures = b"old", failures + 1
        assert contents(tmp_path) == {"file": expected}
    assert failures >= 6


def test_a_write_that_stops_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"old")

    def stop(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "file", b"new")
    assert contents(tmp_path) == {"file": b"old"}


LIMITED = """
import resource, signal, sys
from seq2seq_lib.files import WriteError, replace_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for size in range(0, 20_000, 1_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        replace_file(sys.argv[1], bytes(19_500))
        sys.exit(f"{size}: written")
    except WriteError as error:
        print(error)
"""


@posix
def test_a_full_disk_leaves_the_old_file_and_names_path_and_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "file"],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout.splitlines() == 20 * [
        f"{tmp_path / 'file'}: could not write 19,500 bytes: File too large"
    ]
    assert contents(tmp_path) == {"file": b"old"}


@posix
def test_a_small_file_system_that_is_full_leaves_the_old_file(tmp_path):
    """On a file system of 2 MB where one may be mounted, under a limit of 2 MB where not."""
    script = """
import resource, signal, subprocess, sys
from pathlib import Path
from seq2seq_lib.files import WriteError, replace_file
folder = sys.argv[1]
mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
try:
    mounted = subprocess.run(mount, capture_output=True).returncode == 0
except OSError:
    mounted = False
if not mounted:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
try:
    target = Path(folder, "file")
    replace_file(target, b"old")
    for size in range(2_100_000, 4_000_000, 100_000):
        try:
            replace_file(target, bytes(size))
            sys.exit(f"{size}: written")
        except WriteError as error:
            assert f"{target}: could not write {size:,} bytes: " in str(error), error
        assert [(p.name, p.read_bytes()) for p in Path(folder).iterdir()] == [("file", b"old")]
    replace_file(target, bytes(1_000_000))
finally:
    if mounted:
        subprocess.run(["umount", folder], check=True)
"""
    child = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, env=environment()
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "", "")


def refused_places(folder):
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "to nothing").symlink_to("nowhere")
    (folder / "to a folder").symlink_to("folder")
    (folder / "file").write_bytes(b"old")
    return {
        "a folder": folder / "folder",
        "no parent": folder / "missing" / "file",
        "a file as parent": folder / "file" / "below",
        "a link to nothing": folder / "to nothing",
        "a link to itself": folder / "loop",
        "a link to a folder": folder / "to a folder",
        "256 bytes": folder / ("n" * 256),
        "256 bytes that are fewer characters": folder / ("é" * 128),
        "a device": "/dev/null",
        "nothing": "",
    }


@posix
def test_a_place_that_cannot_be_written_is_found_out_before_and_changes_nothing(tmp_path):
    places = refused_places(tmp_path)
    before = sorted(os.listdir(tmp_path))
    for kind, path in places.items():
        for attempt in (check_writable, lambda path: replace_file(path, b"new")):
            with pytest.raises(WriteError) as refusal:
                attempt(path)
            message = str(refusal.value)
            assert message.startswith(f"{path}: ") and message.isprintable(), kind
        assert sorted(os.listdir(tmp_path)) == before, kind
    assert (tmp_path / "file").read_bytes() == b"old"


@posix
@pytest.mark.parametrize(
    "name", ["n" * 255, "with blanks ", "吾輩は猫", "-o", "*", "a\nb", ".unfinished-x", "'\""]
)
def test_any_name_that_the_system_allows_can_be_written(tmp_path, name):
    check_writable(tmp_path / name)
    assert contents(tmp_path) == {}
    for content in (b"", b"old", b"new" * 100_000):
        replace_file(tmp_path / name, content)
        assert contents(tmp_path) == {name: content}


@posix
def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    check_writable(link)
    replace_file(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert contents(tmp_path / "elsewhere") == {"target": b"new"}


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_a_replaced_file_keeps_its_mode_and_a_new_one_can_be_read_by_all(tmp_path, mode):
    path = tmp_path / "file"
    replace_file(path, b"old")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(mode)
    replace_file(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_read_only_file_is_refused_before_and_kept(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as root, all may be written
    for attempt in (check_writable, lambda path: replace_file(path, b"new")):
        with pytest.raises(WriteError, match="the file is read-only"):
            attempt(path)
    assert contents(tmp_path) == {"file": b"old"}


def test_a_file_is_read_whole_up_to_its_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    assert read_ordinary_file(path, 100) == bytes(100)
    with pytest.raises(ValueError, match="file: expected at most 99 bytes, got 100"):
        read_ordinary_file(path, 99)


def unreadable(folder):
    (folder / "to nothing").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    return {
        "missing": folder / "x",
        "folder": folder,
        "link": folder / "to nothing",
        "pipe": folder / "pipe",
        "device": "/dev/zero",
        "terminal": "/dev/ptmx",
        "nothing": "",
        "no text": None,
        "NUL": "a\0b",
        "list": ["file"],
    }


@posix
def test_what_is_no_ordinary_file_is_refused_and_never_waited_for(tmp_path):
    for kind, path in unreadable(tmp_path).items():
        with pytest.raises(ValueError, match=r"expected (an ordinary|a readable|the path)"):
            raise AssertionError(f"{kind} was read: {read_ordinary_file(path, 100)!r}")
