"""The environment `.venv`: everything pinned and hashed, and nothing outside the checkout touched.

pip fetches uv, one wheel whose hash stands in `tools/uv.txt`, and uv installs the rest. Every pip
can do the first; what the second does is decided here and not by the Python that somebody has:
pip before 23.3 looks for the newest release of what a lock names with an extra, such as
`coverage[toml]`, and so breaks by itself on the day of that release. uv also writes the lock, and
needs a seventh of pip's time.
"""

import ast
import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
STAMP = VENV / "set-up-is-complete"
INSTALLER = "tools/uv.txt"
STRICTLY = "--quiet", "--require-hashes", "--only-binary", ":all:"

#: Those who read and run the chapters need the first; those who change them, both.
LOCKS = ("requirements.lock", "development.lock")
BOOK, DEVELOPMENT = LOCKS[:1], LOCKS

OLDEST, NEWEST = (3, 11), (3, 13)
FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

#: Where packages come from is the user's choice: pip's setting, and what pip and uv call it.
SOURCES = {
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    "cert": ("PIP_CERT", "SSL_CERT_FILE"),
    "proxy": ("PIP_PROXY", "ALL_PROXY"),
    "trusted-host": ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
    "find-links": ("PIP_FIND_LINKS",),  # for PyTorch, which pip installs
}


class Refused(Exception):
    """One sentence for the person who typed the command."""


def python_of(folder):
    """The interpreter of the environment in that folder"""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


PYTHON = python_of(VENV)


def surroundings(**more):
    """The variables that every command runs with.

    Caches, kernels and settings of Jupyter, IPython and matplotlib live in `.cache`. Settings of
    pip and uv that would send packages elsewhere (a target, a prefix, the user's own folder) and
    packages from outside are left out.
    """
    unwanted = {"PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "VIRTUAL_ENV"}
    unwanted |= {"JUPYTER_PATH", "JUPYTER_CONFIG_PATH"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_")) and name not in unwanted
    }
    return (
        kept
        | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_CACHE_DIR": str(CACHE / "pip"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(CACHE / "uv"),
            "UV_SYSTEM_CERTS": "1",
            "PYTHONNOUSERSITE": "1",
            "XDG_CACHE_HOME": str(CACHE / "xdg"),
            "XDG_CONFIG_HOME": str(CACHE / "xdg-config"),
            "IPYTHONDIR": str(CACHE / "ipython"),
            "MPLCONFIGDIR": str(CACHE / "matplotlib"),
            "JUPYTER_CONFIG_DIR": str(CACHE / "jupyter" / "config"),
            "JUPYTER_DATA_DIR": str(CACHE / "jupyter" / "data"),
            "JUPYTER_RUNTIME_DIR": str(CACHE / "jupyter" / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(CACHE / "jupyter" / "lab-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(CACHE / "jupyter" / "lab-workspaces"),
            "JUPYTER_PREFER_ENV_PATH": "1",
        }
        | more
    )


def run(*command, folder=ROOT, **variables):
    """Run a command in the checkout, and raise CalledProcessError when it fails."""
    sys.stdout.flush()
    subprocess.run([*map(str, command)], cwd=folder, env=surroundings(**variables), check=True)


def python(*arguments, **variables):
    """Run the environment's Python: modules, never scripts.

    A script begins with its interpreter's path, which must not hold a quote or a dollar sign.
    """
    run(PYTHON, *arguments, **variables)


def installed():
    """What the environment was made of: {name: text}, or nothing when there is none to use"""
    try:
        made_of = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made_of if isinstance(made_of, dict) and PYTHON.exists() else {}


def ingredients(locks):
    """What an environment with these locks is made of"""
    digests = {
        name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest()
        for name in (INSTALLER, "pyproject.toml", *locks)
    }
    version = ".".join(map(str, sys.version_info[:2]))
    return {"folder": str(ROOT), "python": version, **digests}


def set_up(locks=BOOK):
    """Make sure that `.venv` holds what these locks pin: add what is missing, or begin anew.

    With no lock it holds the installer alone. The stamp is written last, so an interrupted set-up
    begins again.
    """
    refuse_other_pythons()
    with alone():
        quiet_kernels()
        have, all_of_it = installed(), ingredients(LOCKS)
        sound = bool(have) and have.items() <= all_of_it.items()
        want = ingredients(locks) | (have if sound else {})
        if have == want:
            return
        print(f"Setting up {VENV.name}, once ...", flush=True)
        if not sound:
            STAMP.unlink(missing_ok=True)
            run(outer_python(), "-m", "venv", "--clear", VENV)
        sources = sources_of_packages()
        if not sound:
            python("-m", "pip", "install", *STRICTLY, "--no-deps", "-r", INSTALLER, **sources)
        if locks:
            pinned = [part for lock in locks for part in ("-r", lock)]
            uv("pip", "install", *STRICTLY, *pinned, **sources)
            uv("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", ".")
        STAMP.write_text(json.dumps(want, indent=1), encoding="utf-8")


def uv(*arguments, **variables):
    """Run uv on the environment."""
    python("-m", "uv", *arguments, "--python", PYTHON, **variables)


def outer_python():
    """The Python that runs this, or the one behind it when it is an environment's own"""
    return getattr(sys, "_base_executable", sys.executable)


def refuse_other_pythons():
    """Say what is missing before anything is made."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise Refused(
            f"This needs Python 3.11, 3.12 or 3.13, and {sys.executable} is "
            f"{sys.version.split()[0]}; name another: make PYTHON=python3.11 ..., "
            "or on Windows: py -3.11 -m tools ..."
        )
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Refused(
            f"The venv module of {sys.executable} is missing; "
            "on Debian or Ubuntu: sudo apt install python3-venv"
        )
    if os.name == "nt" and Path(sys.prefix) == VENV:
        raise Refused("Windows cannot replace the Python that runs: type py -3.11 -m tools ...")


def sources_of_packages():
    """Where this person's pip is told to get packages from, in variables for pip and for uv.

    An index, a certificate, a proxy: without them some networks reach no package. Nothing else is
    taken over, and hashes hold whatever the source.
    """
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"],
        env=os.environ | {"PIP_USER": "0", "PIP_QUIET": "0"},  # or they would shorten the list
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    found = {}
    for section in ("global", "install", ":env:"):  # the last one wins
        for name, variables in SOURCES.items():
            start = f"{section}.{name}="
            for line in listed.splitlines():
                if line.startswith(start):
                    found |= dict.fromkeys(variables, ast.literal_eval(line[len(start) :]))
    return found


def quiet_kernels():
    """Keep kernels from warning that they talk to the book unencrypted.

    They do so on this machine only (127.0.0.1). Errors are still shown.
    """
    file = CACHE / "ipython" / "profile_default" / "ipython_kernel_config.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")


@contextlib.contextmanager
def alone():
    """Wait until no other command of this checkout is setting up or building."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "at-work").open("w") as file:
        if not _claimed(file):
            print("Another command is at work in this folder; waiting for it ...", flush=True)
            while not _claimed(file):
                time.sleep(0.5)
        yield


def _claimed(file):
    """Whether the file could be locked; the lock goes with the process, however that ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
