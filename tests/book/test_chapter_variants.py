"""The comparison of the variants: what the chapter says holds in the results."""

import itertools
import statistics
from collections import Counter

import numpy as np
import pytest
from chapters import defined, exact, results

from seq2seq_lib import VARIANTS, Recipe, findings, load_pretrained
from seq2seq_lib.data import number_of_carries
from seq2seq_lib.evaluation import write_answers
from seq2seq_lib.functions import softmax
from seq2seq_lib.results import recipe_of, select
from seq2seq_lib.tables import summary


def test_the_results_are_as_the_chapter_says():
    runs = results("variants")
    tests = {}
    for each in runs:
        name = Recipe.from_dict(each["recipe"]).variant
        tests.setdefault(name, []).append(100 * each["test_accuracy"])
    assert sorted(tests, key=lambda name: statistics.mean(tests[name])) == list(VARIANTS)
    spans = {name: max(values) - min(values) for name, values in tests.items()}
    assert max(spans, key=spans.get) == "peeky"
    values = sorted(tests["peeky"])
    gap, last_below = max((b - a, a) for a, b in itertools.pairwise(values))
    assert gap > 40 and last_below < 1.05 * max(tests["reverse"])  # two groups, nothing between
    assert min(values[values.index(last_below) + 1 :]) > 90


def by_carries(run):
    rows = np.array([row for row in run["new_by_kind"] if row[:2] == [3, 3]])
    return rows[:, 3] / rows[:, 4]


def test_the_mistakes_are_as_the_chapter_says():
    sums = results("every-sum")
    near = {}
    for variant in VARIANTS:
        runs = select(sums, variant=variant)
        each = np.array([by_carries(run) for run in runs])
        assert np.ptp(each.mean(axis=0)) < 0.05 and each[:, 3].min() > 0
        counts = [dict(map(tuple, run["frequent_errors"])) for run in runs]
        near[variant] = [
            {d: count.get(d, 0) / run["wrong"] for d in (1, 2, 10, 100, -1, -2, -10, -100)}
            for count, run in zip(counts, runs, strict=True)
        ]
        trained, mirrored = (
            np.mean([run["known"][kind][0] / run["known"][kind][1] for run in runs])
            for kind in ("trained", "mirrored")
        )
        assert 0.9 * trained < mirrored < trained
        assert 0 < 100 * trained - exact(results("variants"), variant=variant).mean() < 4
    assert all(run["error_sizes"]["100 or more"] < 100 for run in select(sums, variant="baseline"))
    one_digit = [sum(d[k] for k in d if abs(k) != 2) for d in near["reverse+peeky"]]
    assert min(one_digit) > 0.6
    close = [sum(d[k] for k in d if abs(k) < 3) for d in near["reverse"]]
    assert np.mean(close) > 0.7
    assert max(max(d.values()) for d in near["baseline"][:4]) < 0.15


def test_longer_numbers_and_places_are_as_the_chapter_says():
    for run in results("mistakes"):
        assert all(right == 0 for right, _ in run["longer"].values())
        assert run["free"]["exact"] == run["forced"]["exact"]
    for run in select(results("mistakes"), variant="baseline"):
        assert np.argmin(run["free"]["by_position"]) == 2
        gains = np.subtract(run["forced"]["by_position"], run["free"]["by_position"])
        assert gains.max() < 0.15 and gains.min() >= 0


def test_the_memory_cell_is_as_the_chapter_says():
    before, cell = results("variants"), results("memory-cell")
    source = {"pass_cell": True, "learning_rate": Recipe().learning_rate}
    old = [exact(before, variant=name).mean() for name in VARIANTS]
    new = [exact(cell, variant=name, **source).mean() for name in VARIANTS]
    assert old == sorted(old) and new == sorted(new)
    gains = np.subtract(new, old)
    assert gains.min() > 0 and list(VARIANTS)[gains.argmax()] == "reverse"
    assert 25 < gains.max() < 30
    apart = [
        exact(cell, variant=name, **source).min() > exact(before, variant=name).max()
        for name in VARIANTS
    ]
    assert apart == [name == "reverse" for name in VARIANTS]
    study = {"pass_cell": True, "learning_rate": 0.002, "batch_size": 256}
    tests = {name: exact(cell, variant=name, **study) for name in VARIANTS}
    reverse, peeky = tests["reverse"], tests["peeky"]
    assert abs(reverse.mean() - peeky.mean()) < 5 < reverse[:3].mean() - peeky[:3].mean()
    assert reverse.min() < peeky.min() and peeky.max() < reverse.max()
    study_means = [tests[name].mean() for name in VARIANTS]
    assert study_means == sorted(study_means)
    assert abs(tests["baseline"].mean() - new[0]) < 5


def test_the_epochs_that_are_stepped_through_are_as_the_chapter_says():
    answers = {recipe_of(run).variant: run["answers"] for run in results("snapshots")}

    def right(variant, question):
        total = str(sum(map(int, question.split("+"))))
        return [epoch for epoch, text in enumerate(answers[variant][question]) if text == total]

    first = {name: min(right(name, "57+5"), default=99) for name in VARIANTS}
    assert sorted(first, key=first.get)[:2] == ["reverse+peeky", "peeky"]
    assert first["reverse+peeky"] < first["peeky"] < first["reverse"]
    assert len(right("peeky", "999+1")) > 5 and 25 not in right("peeky", "999+1")
    assert not any(25 in right(name, "2+5") for name in VARIANTS)


# What the chapter builds


def test_the_three_children_answer_as_their_ideas_say():
    chapter = defined("variants")
    assert chapter["forget_carries"]("37+15") == "42"
    assert chapter["write_all_down"]("37+15") == "412"
    assert chapter["carry_back"]("37+15") == "43"
    assert chapter["columns"]("340+12") == [3, 5, 2]
    rng = np.random.default_rng(0)
    for a, b in [(999, 999), (0, 0), (5, 905), *rng.integers(0, 1000, (2000, 2)).tolist()]:
        question, places = f"{a}+{b}", [1, 10, 100]
        sums = [a // place % 10 + b // place % 10 for place in places]
        forgotten = a + b - sum(10 * place for place, s in zip(places, sums, strict=True) if s > 9)
        back = sum((s % 10 + s // 10) * place for place, s in zip(places, sums, strict=True))
        assert chapter["forget_carries"](question) == str(forgotten)
        assert chapter["carry_back"](question) == str(back)
        no_carry = number_of_carries(a, b) == 0
        for child in "forget_carries", "carry_back":
            assert (chapter[child](question) == str(a + b)) == no_carry
        if number_of_carries(a % 10, b % 10):  # a carry that is not the last one
            assert chapter["write_all_down"](question) != str(a + b) or a + b < 20


def test_a_mistake_gets_the_kind_that_the_chapter_names():
    kind = defined("variants")["kind_of_mistake"]
    expected = {
        "713": "forget carries",
        "71113": "write all down",
        "724": "carry back",
        "813": "by 10, 100, 1000",
        "1823": "by 10, 100, 1000",
        "822": "by 1",
        "826": "by 2 to 9",
        "835": "further off",
    }
    assert {written: kind("428+395", written) for written in expected} == expected


def test_sureness_is_the_product_of_the_probabilities_of_what_is_written():
    chapter, questions = defined("variants"), ["57+5", "37+15", "999+999", "2+2"]
    for name in VARIANTS:
        solver = load_pretrained(name)
        layout = solver.layout
        rows = layout.encode_questions(questions)
        ids = write_answers(solver.model, layout, rows)
        fed = np.insert(ids[:, :-1], 0, layout.start_id, axis=1)
        scores = solver.model.decoder.forward(fed, *solver.model.encode(rows)).astype(float)
        chosen = np.take_along_axis(softmax(scores), ids[..., None], axis=-1)[..., 0]
        answers, sure = chapter["answers_and_sureness"](solver, questions)
        assert answers == solver(questions)
        np.testing.assert_allclose(sure, chosen.prod(axis=1), rtol=1e-4)


# What the chapter says of the runs


def test_best_last_and_speed_are_as_the_chapter_says():
    rows = summary(results("variants"))
    assert [name for name in rows if np.isfinite(rows[name]["epochs to 90 %"]).all()] == [
        "reverse+peeky"
    ]
    assert set(rows["reverse+peeky"]["epochs to 90 %"]) == {10, 11}
    assert np.isnan(rows["peeky"]["epochs to 90 %"]).sum() == 2
    assert all(np.isnan(rows[name]["epochs to 90 %"]).all() for name in ("baseline", "reverse"))
    assert all(row["best"].mean() > row["last"].mean() for row in rows.values())
    assert sum(rows["reverse+peeky"]["best"] - rows["reverse+peeky"]["last"] > 5) == 2
    misled = [
        (rows[worse]["test"][:, None] > rows[better]["test"]).sum()
        for worse, better in itertools.pairwise(rows)
    ]
    assert misled == [1, 4, 4]  # one comparison in six, for two of the three pairs


def test_the_child_who_forgets_and_the_test_questions_are_as_the_chapter_says():
    numbers = np.array([q.split("+") for q in Recipe().splits().test.questions], int)
    carries = number_of_carries(*numbers.T)
    shares = np.bincount(carries) / len(carries)
    assert round(100 * shares[0]) == 27 and round(100 * shares[3]) == 6
    beat = {n: sum(exact(results("variants"), variant=n) > 100 * shares[0]) for n in VARIANTS}
    assert list(beat.values()) == [1, 4, 4, 5]
    assert 0.24 < np.mean((numbers > 99).all(axis=1)) < 0.28 and 900**2 == 0.81 * 1000**2


def test_the_mistakes_of_the_shipped_models_are_as_the_chapter_says():
    chapter, test = defined("variants"), Recipe().splits().test
    shares = {}
    for name in VARIANTS:
        solver = load_pretrained(name)
        written = solver(test.questions)
        wrong = [
            case
            for case in zip(test.questions, written, test.answers, strict=True)
            if case[1] != case[2]
        ]
        kinds = Counter(chapter["kind_of_mistake"](q, given) for q, given, _ in wrong)
        shares[name] = {kind: count / len(wrong) for kind, count in kinds.items()}
        if "peeky" in name:
            assert shares[name]["by 10, 100, 1000"] > 0.5 and shares[name]["forget carries"] > 0.03
    children = "forget carries", "write all down", "carry back"
    assert sum(shares["baseline"].get(child, 0) for child in children) < 0.01
    assert 0.64 < shares["baseline"]["by 2 to 9"] < 0.7 and 0.23 < shares["baseline"]["by 1"] < 0.28
    assert shares["reverse"]["by 1"] > 0.6


@pytest.fixture(scope="module")
def judged():
    """{name: (how sure a shipped model is of its answers to the test, which are right)}"""
    test, judged = Recipe().splits().test, {}
    for name in (*VARIANTS, "best"):
        answers, sure = defined("variants")["answers_and_sureness"](
            load_pretrained(name), test.questions
        )
        judged[name] = sure, np.equal(answers, test.answers)
    return judged


def test_on_test_questions_every_variant_is_a_little_more_often_right_than_it_says(judged):
    modesty = [judged[name][1].mean() - judged[name][0].mean() for name in VARIANTS]
    baseline, reverse, peeky, both = 100 * np.array(modesty)
    assert round(reverse) == 8 and all(0.9 < points < 3.1 for points in (baseline, peeky, both))
    _, right = judged["best"]
    assert (~right).sum() == 2


def test_most_groups_of_the_reliability_diagram_are_modest_and_three_are_not(judged):
    pytest.importorskip("matplotlib")
    from seq2seq_lib import plots

    (axes,) = plots.reliability({name: judged[name] for name in VARIANTS}).axes
    diagonal, *lines = axes.lines
    modesty = {line.get_label(): np.diff(line.get_xydata())[:, 0] for line in lines}
    assert list(modesty) == list(VARIANTS)
    boasts = {name: list(np.flatnonzero(points < -3)) for name, points in modesty.items()}
    assert boasts == {
        "baseline": [len(modesty["baseline"]) - 1],
        "reverse": [len(modesty["reverse"]) - 1],
        "peeky": [0],
        "reverse+peeky": [],
    }
    sizes = [
        np.sum((judged[name][0] >= low) & (judged[name][0] < low + 0.1))
        for name, low in (("baseline", 0.2), ("reverse", 0.5), ("peeky", 0.4))
    ]
    assert sorted(size < 100 for size in sizes) == [False, True, True]
    points = np.concatenate(list(modesty.values()))
    assert points.max() < 10 and (points > 0).sum() == len(points) - 3


def test_only_the_strong_variants_are_less_sure_when_they_are_wrong(judged):
    for name in "baseline", "reverse":
        sure, right = judged[name]
        assert abs(sure[right].mean() - sure[~right].mean()) < 0.03
    for name in "peeky", "reverse+peeky":
        sure, right = judged[name]
        assert sure[right].mean() - sure[~right].mean() > 0.2


@pytest.mark.parametrize("seed", [0, 1])  # the sums of the chapter, and others
def test_on_longer_numbers_the_better_model_is_the_surer_and_none_is_ever_right(seed):
    ask, rng = defined("variants")["answers_and_sureness"], np.random.default_rng(seed)
    long, short = rng.integers(1000, 10_000, 2000), rng.integers(0, 100, 2000)
    asked = [f"{a}+{b}" for a, b in zip(long, short, strict=True)]
    sums = [str(a + b) for a, b in zip(long, short, strict=True)]
    sure = {}
    for name in (*VARIANTS, "best"):
        answers, sure[name] = ask(load_pretrained(name), asked)
        assert not np.equal(answers, sums).any()
    means = [float(each.mean()) for each in sure.values()]
    assert means == sorted(means) and means[0] < 0.1 and means[-1] > 0.9
    assert 0.7 < means[3] < 0.8 and (sure["reverse+peeky"] > 0.99).any()
    assert 0.45 < (sure["best"] > 0.99).mean() < 0.55


def test_the_first_table_is_as_the_chapter_says():
    questions = ["57+5", "37+15", "340+12", "628+521", "999+999"]
    written = {name: load_pretrained(name)(questions) for name in VARIANTS}
    assert written["baseline"][1] == "51" and written["baseline"][2] == "354"
    off = [
        abs(int(given) - sum(map(int, question.split("+"))))
        for answers in written.values()
        for question, given in zip(questions, answers, strict=True)
    ]
    assert max(off) < 15 and sum(0 < each < 3 for each in off) > sum(each > 2 for each in off)


def test_a_group_of_two_recipes_is_refused_as_the_chapter_shows():
    with pytest.raises(ValueError, match="differ in their seed alone"):
        findings.compare({"reverse": select(results("memory-cell"), variant="reverse")})


def test_the_length_of_the_numbers_matters_as_the_chapter_says():
    shares = {}
    for name in VARIANTS:
        of_runs = []
        for run in select(results("every-sum"), variant=name):
            counts = {}
            for a, b, _, right, sums in run["new_by_kind"]:
                count = counts.setdefault((min(a, b), max(a, b)), [0, 0])
                counts[min(a, b), max(a, b)] = [count[0] + right, count[1] + sums]
            of_runs.append({kind: right / sums for kind, (right, sums) in counts.items()})
        shares[name] = {kind: np.mean([run[kind] for run in of_runs]) for kind in of_runs[0]}
    worst = {name: min(own, key=own.get) for name, own in shares.items()}
    assert [name for name in VARIANTS if worst[name] != (1, 1)] == ["baseline"]
    losses = {name: own[2, 2] - own[3, 3] for name, own in shares.items()}
    assert min(losses.values()) > 0 and max(losses, key=losses.get) == "baseline"


def test_means_of_three_seeds_mislead_as_the_exercise_says():
    rows = summary(results("variants"))
    means = {
        name: np.array([np.mean(chosen) for chosen in itertools.combinations(row["test"], 3)])
        for name, row in rows.items()
    }
    misled = [
        np.sum(means[worse][:, None] > means[better]) for worse, better in itertools.pairwise(means)
    ]
    assert misled == [0, 0, 3]


def test_the_kind_of_mistake_goes_with_the_run_as_the_chapter_says():
    for run in results("every-sum"):
        each = {off: count / run["wrong"] for off, count in run["frequent_errors"]}
        near = sum(each.get(off, 0) for off in (1, 2, -1, -2))
        steps = sum(each.get(off, 0) for off in (1, 10, 100, -1, -10, -100))
        if run["wrong"] > 900_000:  # nothing stands out
            assert max(each.values()) < 0.15
        elif run["wrong"] > 500_000:
            assert near > 0.65
        else:
            assert steps > 0.8
        if (recipe_of(run).variant, recipe_of(run).seed) == ("reverse", 0):
            assert np.round(100 * by_carries(run))[[0, 3]].tolist() == [39, 25]
    sums = results("every-sum")
    weak = [sum(r["wrong"] > 900_000 for r in select(sums, variant=n)) for n in VARIANTS]
    strong = [sum(r["wrong"] < 500_000 for r in select(sums, variant=n)) for n in VARIANTS]
    assert weak == [4, 1, 0, 0] and strong == [0, 0, 3, 5]


def test_the_bands_and_the_questions_are_as_the_chapter_says():
    last = [row["last"] for row in summary(results("variants")).values()]
    assert all(a.max() > b.min() for a, b in itertools.pairwise(last))
    splits = Recipe().splits()
    trained = set(splits.train.questions)
    assert "2+5" not in trained and "5+2" in trained
    assert sum(len(question) == 3 for question in trained) == 42
    assert 0.72 < np.mean([len(answer) == 3 for answer in splits.test.answers]) < 0.78


def test_the_epochs_that_pass_one_half_are_as_the_chapter_says():
    half = {}
    for name in VARIANTS:
        runs = select(results("variants"), variant=name)
        curve = np.mean([run["validation_accuracy"] for run in runs], axis=0)
        half[name] = (curve > 0.5).argmax() + 1 if curve.max() > 0.5 else None
    assert list(half.values()) == [None, None, 11, 7]
