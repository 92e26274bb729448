"""Every page of the built site: it fits a phone, complains of nothing, and everyone can read it."""

from pathlib import Path

import pytest
import yaml
from looking import faults, keep, width_of

TOC = yaml.safe_load((Path(__file__).parents[2] / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [entry["file"] for entry in TOC["parts"][0]["chapters"]]
PAGES = [TOC["root"], *(entry["file"] for part in TOC["parts"] for entry in part["chapters"])]

# Docutils calls its list of references a list, and its entries what the standard has for them,
# which axe does not take for entries.
NOT_OURS = 'aria-required-children: <div role="list" class="citation-list">'

every_page = pytest.mark.parametrize("name", PAGES)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@every_page
def test_a_page_fits_and_axe_finds_nothing_serious_with_all_folds_open(
    open_page, site, name, width, mode
):
    still = {"reduced_motion": "reduce"}  # what fades in is pale for a moment
    page = open_page(f"{site}/{name}.html", width=width, color_scheme=mode, **still)
    assert width_of(page) <= width
    page.evaluate("document.querySelectorAll('.bd-article details').forEach(d => d.open = true)")
    assert width_of(page) <= width
    assert [fault for fault in faults(page, "main") if not fault.startswith(NOT_OURS)] == []
    keep(page, f"{Path(name).name}-{width}-{mode}")


@every_page
def test_every_reference_on_a_page_leads_somewhere(open_page, site, name):
    page = open_page(f"{site}/{name}.html")
    lost = page.evaluate(
        """() => [...document.querySelectorAll(".bd-article a[href^='#']")]
            .map(a => decodeURIComponent(a.getAttribute("href").slice(1)))
            .filter(id => id && !document.getElementById(id))"""
    )
    assert lost == []


def test_figures_are_numbered_by_chapter_and_the_text_names_their_numbers(open_page, site):
    for place, name in enumerate(CHAPTERS, 1):
        page = open_page(f"{site}/{name}.html")
        numbers = page.locator("figure.numbered .caption-number").all_text_contents()
        numbers = [number.strip() for number in numbers]
        assert numbers == [f"Figure {place}.{k}" for k in range(1, len(numbers) + 1)]
        pointed = page.locator("a .std-numref").all_text_contents()
        assert set(numbers) <= set(pointed), name


def test_what_is_to_be_predicted_and_all_answers_are_folded_until_they_are_asked_for(
    open_page, site
):
    for name in CHAPTERS:
        page = open_page(f"{site}/{name}.html")
        folds = page.locator("details.sd-dropdown, .tag_hide-output > details")
        assert folds.count() > 10
        assert not folds.evaluate_all("all => all.some(each => each.open)"), name
        result = page.locator(".tag_hide-output .cell_output").first
        assert not result.is_visible()
        page.locator(".tag_hide-output > details > summary").first.click()
        assert result.is_visible()


def test_an_option_of_a_self_check_answers_without_a_kernel(open_page, site):
    page = open_page(f"{site}/book/sequence.html")
    option = page.locator("details.sd-dropdown", has_text="must be squeezed")
    answer = option.get_by_text("must be squeezed")
    assert not answer.is_visible()
    option.locator("summary").focus()
    page.keyboard.press("Enter")
    assert answer.is_visible()
