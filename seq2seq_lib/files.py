"""Reading and writing whole files: only ordinary ones, and replaced whole or not at all."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path


class WriteError(OSError):
    """A file could not be written; the old one, if there was one, is as it was."""


def read_ordinary_file(path, most_bytes):
    """The bytes of an ordinary file. Raises ValueError for a folder, pipe, device or a large one.

    Looks before it opens: to open a pipe is to wait, and a device may never end.
    """
    try:
        info = os.stat(path)
        ordinary = stat.S_ISREG(info.st_mode)
        content = b""
        if ordinary and info.st_size <= most_bytes:
            with open(path, "rb") as file:
                content = file.read(info.st_size + 1)
    except OSError as error:
        raise ValueError(f"{path}: expected a readable file: {error.strerror}") from error
    except (TypeError, ValueError) as error:  # no text at all, or one with NUL
        raise ValueError(f"expected the path of a file, got {path!a}") from error
    if not ordinary:
        raise ValueError(f"{path}: expected an ordinary file, got a folder, pipe or device")
    if info.st_size > most_bytes:
        raise ValueError(f"{path}: expected at most {most_bytes:,} bytes, got {info.st_size:,}")
    if len(content) > info.st_size:
        raise ValueError(f"{path}: expected a file that nobody writes to, got one that grows")
    return content


def replace_file(path, content):
    """Write bytes to ``path`` so that a reader sees the old file or the new one, never a part.

    Raises WriteError, naming the path and the bytes needed, and leaves nothing behind.
    """
    temporary = None
    try:
        target = _writable_target(path)
        descriptor, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=target.parent)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644)
        os.replace(temporary, target)
        temporary = None
        with contextlib.suppress(OSError):  # the new file is there: only a power cut could undo it
            _sync_folder(target.parent)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"{path}: could not write {len(content):,} bytes: {reason}") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def check_writable(path):
    """Raise WriteError if ``replace_file(path, ...)`` is bound to fail: to be asked before work."""
    try:
        target = _writable_target(path)
        descriptor, temporary = tempfile.mkstemp(prefix=".unfinished-", dir=target.parent)
        os.close(descriptor)
        os.unlink(temporary)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error


def _writable_target(path):
    target = Path(path)
    if target.is_symlink():
        if not target.exists():
            raise OSError(None, "it is a link to nothing")
        target = target.resolve()
    if os.path.lexists(target) and not stat.S_ISREG(target.stat().st_mode):
        raise OSError(None, "expected an ordinary file or none")
    if not target.parent.is_dir():
        raise OSError(None, f"there is no folder {str(target.parent)!r}")
    with contextlib.suppress(FileNotFoundError):
        os.lstat(target)  # a name too long is found out here
        if not os.access(target, os.W_OK):
            raise OSError(None, "the file is read-only")
    return target


def _sync_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
