"""The welcome page: its numbers are those of the models and the results."""

from chapters import prose, results

from seq2seq_lib import Recipe, load_pretrained


def test_the_numbers_of_the_welcome_page_are_so():
    text = " ".join(prose("intro").split())
    recipe = Recipe()
    assert f"list of {recipe.hidden_size} numbers" in text
    assert f"trained on {recipe.train_size:,} sums" in text
    best = load_pretrained("best").recipe.to_dict()
    (wrong,) = [run["wrong"] for run in results("road") if run["recipe"] == best]
    assert "a few dozen wrong" in text and 24 <= wrong <= 60


def test_both_sums_of_the_welcome_page_come_out_right():
    assert load_pretrained("peeky")(["57+5", "999+999"]) == ["62", "1998"]
