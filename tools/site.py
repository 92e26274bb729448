"""The website: built again where something behind it has changed, and shown on this machine."""

import contextlib
import functools
import hashlib
import http.server
import re
import shutil

from tools.environment import ROOT, Refused, alone, python

BUILD = ROOT / "_build"
SITE = BUILD / "html"
FINGERPRINTS = BUILD / "made-from"

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"  # it has no module to run

#: What Jupyter Book does not see. It sees itself when a cell or a text of a page has changed.
BEHIND_THE_CELLS = "seq2seq_lib", "book/results", "book/extensions", "requirements.lock"
BEHIND_THE_PAGES = ("book/assets",)


def fingerprint(names):
    """What changes when anything does in these files and folders"""
    digest = hashlib.sha256()
    for name in names:
        place = ROOT / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.relative_to(ROOT).as_posix().encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def build(*, strictly=False):
    """Build the website, and run the chapters again that are not what they were.

    Strictly: from nothing, and every warning is an error.
    """
    if re.search(r"\?|%[0-9a-f]{2}", str(ROOT), re.IGNORECASE):
        raise Refused(f"Jupyter's cache cannot lie in a path with ? or %: move {ROOT} elsewhere")
    options = ["-W", "-n", "--keep-going"] if strictly else ["--quiet"]
    with alone():
        if strictly and BUILD.exists():
            shutil.rmtree(BUILD)
        forget_what_is_stale()
        python("-c", JUPYTER_BOOK, "build", *options, ".")
    print(f"\nThe site is at {SITE / 'index.html'} (or type: make serve)")


def forget_what_is_stale():
    """Delete what was made from another library, other results, weights, styles or scripts."""
    now = [fingerprint(BEHIND_THE_CELLS), fingerprint(BEHIND_THE_PAGES)]
    before = FINGERPRINTS.read_text(encoding="utf-8").split() if FINGERPRINTS.is_file() else []
    if now != before:
        same_cells = now[:1] == before[:1]
        for name in [".doctrees"] if same_cells else [".doctrees", ".jupyter_cache"]:
            if (BUILD / name).exists():
                shutil.rmtree(BUILD / name)
        BUILD.mkdir(exist_ok=True)
        FINGERPRINTS.write_text("\n".join(now), encoding="utf-8")


def serve(port):
    """Show the website on this machine only."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=SITE)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise Refused(f"Port {port} cannot be used ({error.strerror}); name another one") from None
    print(f"The site is at http://127.0.0.1:{port}/ until you press Ctrl-C")
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
