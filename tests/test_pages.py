"""A stepper as HTML: steps in order, names that links find, little to load, styles for all."""

import ast
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cases import KINDS, NAMES, drawn, solver

from seq2seq_lib import pages, palette, steppers
from seq2seq_lib.results import load_results

BOOK = Path(__file__).parents[1] / "book"
CHAPTERS = sorted(p.stem for p in BOOK.glob("*.ipynb") if "show(steppers." in p.read_text("utf-8"))
STEPPERS = {
    "generation": steppers.generation,
    "comparison": steppers.comparison,
    "forcing": steppers.forcing,
    "cell": steppers.cell,
    "training": lambda: steppers.training(load_results(BOOK / "results" / "snapshots.json")),
}
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_stepper = pytest.mark.parametrize("kind", STEPPERS)
VOID = {"input", "br", "wbr"}
MOST_BYTES = 1_000_000  # of all steppers on a page
MOST_A_FRAME = 8_000  # of one model in the mean
MEANT = {"s2s", "slide", "change"}  # for roles, for the script, for a grid without a colour


class Reader(HTMLParser):
    """Every element: its tag and attributes, the tags it stands in, the text right within it"""

    def __init__(self, markup):
        super().__init__()
        self.found, self.open = [], []
        self.feed(markup)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute comes twice: {attrs}"
        element = {"tag": tag, "within": [each["tag"] for each in self.open], "text": ""}
        element |= {"parents": self.open[:], **dict(attrs)}
        self.found.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1]["text"] += data

    def having(self, kind):
        return [each for each in self.found if kind in each.get("class", "").split()]

    def tagged(self, tag):
        return [each for each in self.found if each["tag"] == tag]


@cache
def steppers_of(chapter):
    """The steppers that a chapter shows, made by its own words"""
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {"steppers": steppers, "load_results": lambda path: load_results(BOOK / path)}
    return [
        eval(ast.unparse(call.args[0]), names)
        for source in sources
        if "show(steppers." in source
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call).startswith("show(steppers.")
    ]


@cache
def pages_of(chapter):
    return [pages.page(stepper) for stepper in steppers_of(chapter)]


@cache
def stepper_of(kind):
    return STEPPERS[kind]()


@cache
def markup_of(kind):
    return pages.page(stepper_of(kind))


def own(*questions, **names):
    models = {name.replace("_", " "): solver(made) for name, made in names.items()}
    return steppers.generation(questions, models)


@cache
def reading(kind):
    return Reader(markup_of(kind))


def ids(markup):
    return [element["id"] for element in Reader(markup).found if "id" in element]


@every_chapter
def test_the_steppers_of_a_chapter_have_names_of_their_own(chapter):
    names = [stepper.name for stepper in steppers_of(chapter)]
    source = (BOOK / f"{chapter}.ipynb").read_text("utf-8")
    assert len(set(names)) == len(names) == source.count("show(steppers.") > 0


@every_stepper
def test_a_page_is_the_same_each_time_and_closes_what_it_opens(kind):
    assert pages.page(stepper_of(kind)) == markup_of(kind)
    assert reading(kind).found[0]["tag"] == "section"


@every_stepper
def test_everything_but_the_first_frame_is_a_text_until_it_is_asked_for(kind):
    frames = reading(kind).having("frame")
    asleep = ["noscript" in frame["within"] for frame in frames]
    assert asleep == [False] + [True] * (len(frames) - 1)


def test_only_the_first_frame_of_all_is_awake():
    frames = Reader(pages.page(own("57+5", "1+1", one="small"))).having("frame")
    assert ["noscript" in frame["within"] for frame in frames] == [False] + [True] * 23


@every_stepper
def test_a_link_names_each_step_of_what_is_prepared_and_no_other(kind):
    stepper = stepper_of(kind)
    reader = reading(kind)
    wanted, runs = [], []
    for question, choice in stepper.prepared:
        count = len(stepper.frames(question, choice))
        wanted += [pages.link(stepper, question, choice, step + 1) for step in range(count)]
        runs.append((wanted[-1].removesuffix(f"-{count}"), str(count), question, choice))
    assert [frame["id"] for frame in reader.having("frame")] == wanted
    said = ["data-link", "data-steps", "data-question", "data-choice"]
    assert [tuple(run[name] for name in said) for run in reader.having("run")] == runs
    assert not any(re.search(r"\s", name) for name in wanted)


@every_chapter
def test_no_two_things_on_a_page_have_the_same_name(chapter):
    names = [name for page in pages_of(chapter) for name in ids(page)]
    assert len(set(names)) == len(names) > 10


def test_steppers_of_the_same_kind_get_along_under_names_of_their_own():
    models = {"one": solver("small")}
    both = [
        pages.page(steppers.generation(["57+5"], models, name=name)) for name in ("one", "other")
    ]
    assert not set(ids(both[0])) & set(ids(both[1]))


@every_chapter
def test_all_steppers_of_a_chapter_together_are_light(chapter):
    assert sum(len(page.encode()) for page in pages_of(chapter)) < MOST_BYTES


@every_stepper
def test_a_frame_is_small_in_the_mean(kind):
    decoders = 2 if kind in ("comparison", "forcing") else 1
    sizes = [
        len(frame.html().encode())
        for frame in stepper_of(kind).frames(*stepper_of(kind).prepared[0])
    ]
    assert sum(sizes) / len(sizes) < decoders * MOST_A_FRAME


@every_stepper
def test_everything_that_is_not_text_says_what_it_is(kind):
    reader = reading(kind)
    for element in reader.found:
        assert element.get("aria-label", "a label").strip()
        assert element.get("role") not in ("img", "group") or element.get("aria-label")
        if element["tag"] == "svg":
            assert element.get("role") == "img" or element.get("aria-hidden") == "true"
        if element["tag"] == "input":
            assert element.get("aria-label")
        if element["tag"] == "select":
            assert element["parents"][-1]["tag"] == "label"
        if element["tag"] in ("button", "summary", "option"):
            assert element["text"].strip()
    names = {element["id"] for element in reader.found if "id" in element}
    assert reader.found[0]["aria-labelledby"] in names


@every_stepper
def test_the_script_finds_the_status_at_the_end_and_a_button_for_each_move(kind):
    reader = reading(kind)
    assert reader.found[-1].get("role") == "status" and len(reader.found[-1]["parents"]) == 1
    assert tuple(button["data-go"] for button in reader.tagged("button")) == pages.BUTTONS
    assert all(each["hidden"] is None for each in reader.having("controls"))


@pytest.mark.parametrize(
    ("questions", "models", "menus"),
    [
        (["57+5"], {"one": "small"}, {}),
        (["57+5", "1+1"], {"one": "small"}, {"question": ["57+5", "1+1"]}),
        (["57+5"], {"a_b": "small", "c": "cell"}, {"choice": ["a b", "c"]}),
    ],
)
def test_there_is_a_menu_only_where_there_is_something_to_choose(questions, models, menus):
    reader = Reader(pages.page(own(*questions, **models)))
    found = {select["data-pick"]: [] for select in reader.tagged("select")}
    for option in reader.tagged("option"):
        assert option["value"] == option["text"]
        found[option["parents"][-1]["data-pick"]].append(option["value"])
    assert found == menus


def test_the_only_choice_stands_there_as_text():
    markup = pages.page(own("57+5", one="small"))
    assert "<span>Sum <b>57+5</b></span><span>Model <b>one</b></span>" in markup


def test_what_has_neither_question_nor_choice_has_no_menu_and_nothing_to_unfold():
    reader = reading("training")
    assert not reader.tagged("select") and not reader.tagged("details")
    (picks,) = reader.having("picks")
    assert not picks["text"] and picks not in [e["parents"][-1] for e in reader.found[1:]]


def test_an_option_is_the_very_question_blanks_and_all():
    two = "<b  a", "&b"
    reader = Reader(pages.page(own(*two, mine="hostile")))
    assert tuple(option["value"] for option in reader.tagged("option")) == two
    assert tuple(run["data-question"] for run in reader.having("run")) == two


@every_stepper
def test_how_to_read_marks_is_told_where_there_are_any(kind):
    reader = reading(kind)
    assert len(reader.having("key")) == bool(reader.having("grid"))


def test_the_key_has_all_marks_and_their_meaning():
    key = pages.key('<figure class="grid h"><path class="moved"/>')
    marks = [path["class"] for path in Reader(key).tagged("path")]
    assert marks == ["p1", "p2", "p3", "n1", "n2", "n3"]
    assert all(word in key for word in ("above zero", "below zero", "moved most"))
    assert "unit" not in key
    assert pages.key("<figure class='bars'>") == ""


def test_the_key_explains_the_frames_that_there_are():
    grid = '<figure class="grid h">'
    assert "framed" not in pages.key(grid)
    followed = pages.key(grid + '<path class="unit"/>')
    assert "the unit that is followed" in followed and "moved most" not in followed


def test_names_and_texts_that_html_knows_stand_there_as_text():
    evil = "<script>\"'&"
    frames = steppers.generation(["1+1"], {"a": solver("small")}).frames
    page = pages.page(
        steppers.Stepper(evil, evil, lambda q, c: frames("1+1", "a"), ((evil, evil),), (), evil)
    )
    reader = Reader(page)
    assert not reader.tagged("script")
    assert reader.found[0]["id"] == reader.having("title")[0]["text"] == evil
    assert reader.having("run")[0]["data-question"] == evil
    assert reader.tagged("summary")[0]["text"] == f"{evil}, {evil}"


# Styles


@cache
def rules():
    """The styles without comments"""
    return re.sub(r"/\*.*?\*/", "", pages.style(), flags=re.DOTALL)


@cache
def shown():
    """All that is drawn in these tests, as one text"""
    every_page = map(markup_of, STEPPERS)
    return "".join([*every_page, *("".join(drawn(kind, name)) for kind in KINDS for name in NAMES)])


def test_the_styles_load_nothing():
    assert not re.search(r"url\(|@import|@font-face|image-set|https?:", rules())


def test_every_class_has_a_style_or_is_known_to_have_none():
    used = {each for group in re.findall(r'class="([^"]*)"', shown()) for each in group.split()}
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", rules())))
    assert used - styled - MEANT == set()


def test_every_variable_has_a_value():
    used = set(re.findall(r"var\((--[\w-]+)", rules() + shown()))
    given = set(re.findall(r"(--[\w-]+):", rules() + shown()))
    given |= {"--stepper-top"}  # the site's, with a value for pages without it
    roles = {"--s2s-" + role.replace("+", "-") for role in palette.COLOURS}
    assert {name for name in used if name.startswith("--s2s-")} <= roles
    assert used <= given


def test_every_brace_is_closed():
    assert rules().count("{") == rules().count("}") > 100
