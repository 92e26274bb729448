"""Looking at a page as its readers do: what goes wrong in it, what axe finds, its picture."""

from pathlib import Path

import pytest

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

SCREENSHOTS = Path(__file__).parents[2] / "_build" / "screenshots"
SERIOUS = "serious", "critical"


def watch(page, home, wrong, *, scripts=True):
    """Write down all that goes wrong in a page; one without scripts asks for them in vain."""

    def asked(request):
        if not request.url.startswith((home, home.replace("http", "ws", 1), "data:", "blob:")):
            wrong.append(f"asked another host: {request.url}")

    page.on("request", asked)

    def failed(request):
        if scripts or request.resource_type != "script":
            wrong.append(f"failed: {request.url}")

    page.on("requestfailed", failed)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "console",
        lambda said: said.type == "error" and wrong.append(f"console: {said.text} {said.location}"),
    )


def faults(page, selector=None):
    """What axe finds that is serious or critical, in words"""
    context = {"include": [selector]} if selector else None
    options = {"resultTypes": ["violations"], "preload": False}  # it would ask for style sheets
    found = axe.Axe().run(page, context, options).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for fault in found
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]


def keep(page, name):
    """A screenshot of the whole page, kept for people to look at"""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def width_of(page):
    """How wide the page would like to be"""
    return page.evaluate("document.scrollingElement.scrollWidth")
