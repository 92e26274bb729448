"""A real browser, the built site, and a live Jupyter server, for the tests of this folder.

Playwright keeps an event loop in the main thread, which other tests could not bear: so these are
the last to run (`tests/conftest.py`).
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from looking import watch

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"
BROWSERS = "chromium", "chromium-browser", "google-chrome"
START = 90  # seconds that Jupyter may take, on a slow machine


@pytest.fixture(scope="package")
def browser():
    """Headless Chromium, the system's own or the one that CHROMIUM names"""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        pytest.skip("no Chromium: install it (Debian: apt install chromium) or set CHROMIUM")
    root = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=root)
        yield browser
        browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="package")
def site():
    """The address of the built site"""
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: run make book first")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=SITE)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(browser):
    """A function that opens an address in a fresh browser.

    At the end of the test nothing may have gone wrong in any page: no error in the console, no
    request that failed or left its host.
    """
    contexts, wrong = [], []

    def open_page(address, *, width=1280, height=900, slower=1, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        home = "/".join(address.split("/")[:3])
        watch(page, home, wrong, scripts=options.get("java_script_enabled", True))
        if slower > 1:
            session = context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


# A live Jupyter server

SETTINGS = {
    "apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory):
    """(address, folder) of a Jupyter server, which opens the notebooks in that folder"""
    pytest.importorskip("jupyterlab")
    home, folder = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    for name, values in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = os.environ | {name: str(home / place) for name, place in places.items()}
    environment |= {"JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
    ]
    command += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status", server)
        yield address, folder
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address, server):
    for _ in range(10 * START):
        assert server.poll() is None, "the Jupyter server ended at once"
        try:
            with urllib.request.urlopen(address):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"no Jupyter server at {address} after {START} seconds")
