"""Wrong versions of the library, each of which one named test must notice.

    python -m tests.seeded_bugs

Each bug is one replacement of text in one file of a copy of the library; the named test runs on
that copy, where it must fail, after all of them have passed on an unchanged copy.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
AT_A_TIME = 2
PASSED, FAILED = 0, 1  # pytest's exit codes; any other means that the test did not run

# Runs pytest after making sure that the copy is what gets imported, wherever else it is installed.
RUN = """
import pathlib, sys, pytest, seq2seq_lib
if pathlib.Path(seq2seq_lib.__file__).parents[1].resolve() != pathlib.Path.cwd().resolve():
    sys.exit(f"expected seq2seq_lib from {pathlib.Path.cwd()}, got {seq2seq_lib.__file__}")
sys.exit(100 + pytest.main(sys.argv[1:]))
"""


class Bug(NamedTuple):
    name: str
    module: str
    right: str
    wrong: str
    test: str

    @property
    def file(self):
        """Where the module is, within the library"""
        return f"seq2seq_lib/{self.module.replace('.', '/')}.py"


BLACKBOARD = "test_lstm.py::test_lstm_equals_the_step_by_step_one"
SLOPES = "test_gradients.py::test_every_element_of_every_gradient_matches_central_differences"
ADAM = "test_optimizers.py::test_adam_follows_algorithm_1_of_the_paper"
CLIPPED = "test_optimizers.py::test_clipping"
EMBEDDED = 'np.matmul(uses.T, rows(dys), out=self.grads["W"])'
PEEKY = "return self.lstm.dh + self.lstm.dcontext + self.affine.dcontext"
FED = "written[:, t : t + 1] = fed = self.step(fed, h).argmax(axis=-1)"
MASKED = "test_layers.py::test_loss_with_ignore_id_is_the_mean_over_the_counted_targets_alone"
VERY_SCORES = "test_models.py::test_one_question_is_answered_from_the_very_scores_it_has_in_a_batch"


def slopes(subject, sizes="N2-T3"):
    return f"{SLOPES}[{sizes}-{subject}]"


BUGS = [
    # functions
    Bug(
        "sigmoid without the half inside",
        "functions",
        "np.tanh(np.asarray(x) * 0.5) * 0.5 + 0.5",
        "np.tanh(np.asarray(x)) * 0.5 + 0.5",
        "test_functions.py::test_sigmoid_is_one_over_one_plus_exp",
    ),
    Bug(
        "softmax overflows",
        "functions",
        "exp = np.exp(x - np.max(x, axis=-1, keepdims=True))",
        "exp = np.exp(x)",
        "test_functions.py::test_sigmoid_and_softmax_of_extreme_numbers_give_no_warning",
    ),
    Bug(
        "softmax over the wrong axis",
        "functions",
        "return exp / exp.sum(axis=-1, keepdims=True)",
        "return exp / exp.sum(axis=0, keepdims=True)",
        "test_functions.py::test_softmax_is_exp_over_the_sum_of_exp_along_the_last_axis",
    ),
    Bug(
        "results are views of a buffer when N or T is 1",
        "functions",
        "return x.swapaxes(0, 1).copy()",
        "return np.ascontiguousarray(x.swapaxes(0, 1))",
        "test_contracts.py::test_results_of_a_call_are_its_own",
    ),
    Bug(
        "negative ids wrap round",
        "functions",
        "0 <= ids.min() and ids.max() < vocab_size",
        "ids.max() < vocab_size",
        "test_contracts.py::test_what_are_no_ids_is_refused_naming_expectation_and_value",
    ),
    Bug(
        "True and False are read as ids",
        "functions",
        'ids.dtype.kind not in "iu"',
        'ids.dtype.kind not in "iub"',
        "test_contracts.py::test_what_are_no_ids_is_refused_naming_expectation_and_value",
    ),
    # layers
    Bug(
        "embedding gradient: the last use of a row wins",
        "layers",
        EMBEDDED,
        'self.grads["W"][...] = 0; self.grads["W"][ids.ravel()] = rows(dys)',
        "test_layers.py::test_embedding_gradient_is_the_sum_over_all_uses_of_a_row",
    ),
    Bug(
        "embedding gradient is added to the old one",
        "layers",
        EMBEDDED,
        'self.grads["W"] += uses.T @ rows(dys)',
        "test_contracts.py::test_gradients_are_written_not_added",
    ),
    Bug(
        "embedding gradient is rebound",
        "layers",
        EMBEDDED,
        'self.grads["W"] = uses.T @ rows(dys)',
        "test_contracts.py::test_forward_backward_and_adam_never_rebind_an_array",
    ),
    Bug(
        "affine bias gradient missing",
        "layers",
        'np.sum(rows(dys), axis=0, out=self.grads["b"])',
        "pass",
        slopes("affine"),
    ),
    Bug(
        "affine context gradient from the first step alone",
        "layers",
        "over_time = dys.sum(axis=1)",
        "over_time = dys[:, 0]",
        slopes("affine-context"),
    ),
    Bug(
        "affine context behind the input instead of in front",
        "layers",
        'xs = checked_array("xs", xs, ("N", "T", len(W) - C), W.dtype)',
        'W = np.roll(W, C, axis=0); xs = checked_array("xs", xs, ("N", "T", len(W) - C), W.dtype)',
        "test_layers.py::test_affine_with_context_equals_one_on_the_joined_input",
    ),
    Bug(
        "masked loss divided by all targets",
        "layers",
        "return float((-picked[counted]).sum() / max(1, counted.sum()))",
        "return float((-picked[counted]).sum() / len(ts))",
        MASKED,
    ),
    Bug(
        "masked loss of nothing is 0/0",
        "layers",
        "return float((-picked[counted]).sum() / max(1, counted.sum()))",
        "return float((-picked[counted]).sum() / counted.sum())",
        "test_layers.py::test_with_no_counted_target_loss_and_gradient_are_zero",
    ),
    Bug(
        "ignored targets get a gradient",
        "layers",
        "dscores *= (counted * (dout",
        "dscores *= (np.ones(len(ts)) * (dout",
        MASKED,
    ),
    Bug(
        "loss gradient divided by all targets",
        "layers",
        "(dout / max(1, counted.sum()))",
        "(dout / len(ts))",
        MASKED,
    ),
    Bug(
        "loss gradient forgets dout",
        "layers",
        "(dout / max(1, counted.sum()))",
        "(1 / max(1, counted.sum()))",
        slopes("seq2seq"),
    ),
    Bug(
        "loss gradient without minus one at the target",
        "layers",
        "dscores[np.arange(len(ts)), ts] -= 1",
        "pass",
        slopes("loss"),
    ),
    # lstm, forwards
    Bug(
        "names of f and i swapped",
        "lstm",
        'gates = ("f", "i", "o", "g")',
        'gates = ("i", "f", "o", "g")',
        "test_lstm.py::test_gates_names_the_blocks_of_columns_in_their_order",
    ),
    Bug(
        "gates f and i swapped forwards", "lstm", "f, i, o, g = z\n", "i, f, o, g = z\n", BLACKBOARD
    ),
    Bug(
        "gates o and g swapped backwards",
        "lstm",
        "f, i, o, g = gates[:, t]",
        "f, i, g, o = gates[:, t]",
        slopes("lstm"),
    ),
    Bug("tanh missing on g", "lstm", "np.tanh(z, out=z)", "np.tanh(z[:3], out=z[:3])", BLACKBOARD),
    Bug(
        "sigmoid's factor missing in the gates",
        "lstm",
        "z[:3] *= 0.5  # sigmoid",
        "z[:3] *= 1.0  # sigmoid",
        BLACKBOARD,
    ),
    Bug(
        "h = o * c without tanh",
        "lstm",
        "np.multiply(o, tanh_c[t], out=h[t + 1])",
        "np.multiply(o, c[t + 1], out=h[t + 1])",
        BLACKBOARD,
    ),
    Bug(
        "a layer that is not stateful keeps its state",
        "lstm",
        "if not self.stateful or self.h is None:",
        "if self.h is None:",
        "test_lstm.py::test_an_lstm_that_is_not_stateful_starts_from_zeros_every_time",
    ),
    Bug(
        "the first state's share of z dropped",
        "lstm",
        "if t or not from_zeros:",
        "if t:",
        f"{BLACKBOARD}[True-sizes0-float64-1e-12]",
    ),
    Bug(
        "the last state is a view of a buffer",
        "lstm",
        "self.h, self.c = h[T].copy(), c[T].copy()",
        "self.h, self.c = h[T], c[T]",
        "test_contracts.py::test_results_of_a_call_are_its_own",
    ),
    Bug(
        "set_state keeps the caller's array",
        "lstm",
        'self.h = checked_array("h", h, ("N", len(Wh)), Wh.dtype).copy()',
        'self.h = checked_array("h", h, ("N", len(Wh)), Wh.dtype)',
        "test_lstm.py::test_state_is_copied_in_and_never_written_to_afterwards",
    ),
    Bug(
        "set_state forgets the cell",
        "lstm",
        'self.c[:] = checked_array("c", c, self.h.shape, Wh.dtype)',
        'checked_array("c", c, self.h.shape, Wh.dtype)',
        BLACKBOARD,
    ),
    # lstm, backwards
    Bug(
        "dh of the step after dropped",
        "lstm",
        "dh = dh + dhs[:, t]",
        "dh = dhs[:, t]",
        slopes("lstm"),
    ),
    Bug(
        "dc of the step after dropped",
        "lstm",
        "dc = dc + dh * o * (1 - tanh_c[t] ** 2)",
        "dc = dh * o * (1 - tanh_c[t] ** 2)",
        slopes("lstm"),
    ),
    Bug(
        "dc passes the forget gate unchanged", "lstm", "dc = dc * f\n", "dc = dc\n", slopes("lstm")
    ),
    Bug(
        "1 - c**2 instead of 1 - tanh(c)**2",
        "lstm",
        "(1 - tanh_c[t] ** 2)",
        "(1 - c[t + 1] ** 2)",
        slopes("lstm"),
    ),
    Bug(
        "forget gate's gradient from the new cell",
        "lstm",
        "np.multiply(dc * c[t], f",
        "np.multiply(dc * c[t + 1], f",
        slopes("lstm"),
    ),
    Bug(
        "dWx from the last step alone",
        "lstm",
        "np.matmul(xs.T, dz_rows, out=dWx[:, C:])",
        "np.matmul(xs[-N:].T, dz_rows[:, -N:], out=dWx[:, C:])",
        slopes("lstm"),
    ),
    Bug(
        "bias gradient averaged instead of summed",
        "lstm",
        "np.sum(dz_rows, axis=1, keepdims=True, out=db)",
        "np.mean(dz_rows, axis=1, keepdims=True, out=db)",
        slopes("lstm"),
    ),
    Bug(
        "the first state's share of dWh dropped",
        "lstm",
        "start = int(from_zeros)",
        "start = 1",
        slopes("lstm-stateful"),
    ),
    Bug(
        "context gradient from the last step alone",
        "lstm",
        "over_time = dz.sum(axis=1)",
        "over_time = dz[:, -1]",
        slopes("lstm-context"),
    ),
    # masks
    Bug(
        "mask forwards only",
        "lstm",
        "_, _, keep, _, _, c, tanh_c, gates = self.cache",
        "_, _, _, _, _, c, tanh_c, gates = self.cache; keep = None",
        slopes("lstm-keep"),
    ),
    Bug(
        "mask backwards only",
        "lstm",
        "np.copyto(c[t + 1], c[t], where=~keep[t])\n"
        "                np.copyto(h[t + 1], h[t], where=~keep[t])",
        "pass",
        "test_models.py::test_with_pad_id_padding_changes_no_bit_of_the_state",
    ),
    Bug(
        "padding hands h on, not the cell",
        "lstm",
        "np.copyto(c[t + 1], c[t], where=~keep[t])",
        "pass",
        "test_models.py::test_with_pad_id_padding_in_the_middle_passes_through_too",
    ),
    Bug(
        "padding hands dh on, not the cell's gradient",
        "lstm",
        "dh, dc = dh + handed_on[0], dc + handed_on[1]",
        "dh = dh + handed_on[0]",
        slopes("lstm-keep"),
    ),
    Bug(
        "encoder ignores its pad_id",
        "models",
        "self.lstm.forward(embedded, keep=keep)",
        "self.lstm.forward(embedded)",
        "test_models.py::test_with_pad_id_padding_changes_no_bit_of_the_state",
    ),
    # models
    Bug(
        "weights divided by the root of fan-out",
        "models",
        "/ np.sqrt(fan_in)",
        "/ np.sqrt(fan_out)",
        "test_models.py::test_initial_values_are_drawn_as_in_the_source",
    ),
    Bug(
        "targets not shifted",
        "models",
        "return self.loss.forward(scores, ts[:, 1:])",
        "return self.loss.forward(scores, ts[:, :-1])",
        "test_models.py::test_each_decoder_step_reads_one_character_and_is_to_say_the_next",
    ),
    Bug(
        "encoder returns the first step's state",
        "models",
        "self.lstm.forward(embedded, keep=keep)\n        return self.lstm.h.copy()",
        "return self.lstm.forward(embedded, keep=keep)[:, 0]",
        "test_models.py::test_encoder_returns_the_hidden_state_after_the_last_step",
    ),
    Bug(
        "encoder sends dh to every step",
        "models",
        "dhs[:, -1:] = dh[:, None]",
        "dhs[:] = dh[:, None]",
        slopes("encoder"),
    ),
    Bug(
        "peeky: h's gradient without the initial state's",
        "models",
        PEEKY,
        "return self.lstm.dcontext + self.affine.dcontext",
        slopes("peeky"),
    ),
    Bug(
        "peeky: h's gradient without the LSTM inputs'",
        "models",
        PEEKY,
        "return self.lstm.dh + self.affine.dcontext",
        slopes("peeky"),
    ),
    Bug(
        "peeky: h's gradient without the affine inputs'",
        "models",
        PEEKY,
        "return self.lstm.dh + self.lstm.dcontext",
        slopes("peeky"),
    ),
    Bug(
        "peeky: the affine layer does not see h but the last state",
        "models",
        "return self.affine.forward(hs, context)",
        "return self.affine.forward(hs, None if context is None else hs[:, -1])",
        "test_models.py::test_peeky_decoder_joins_h_in_front_of_both_inputs",
    ),
    Bug(
        "the cell crosses the bridge unasked",
        "models",
        "return h, self.encoder.lstm.c if self.pass_cell else None",
        "return h, self.encoder.lstm.c",
        "test_models.py::test_the_cell_crosses_the_bridge_only_if_passed",
    ),
    Bug(
        "the cell's gradient stays behind",
        "models",
        "self.encoder.backward(dh, self.decoder.lstm.dc if self.pass_cell else None)",
        "self.encoder.backward(dh)",
        slopes("seq2seq-cell"),
    ),
    Bug(
        "generate feeds the start every time",
        "models",
        FED,
        "written[:, t : t + 1] = self.step(fed, h).argmax(axis=-1)",
        "test_models.py::test_generate_feeds_its_own_choices_back",
    ),
    Bug(
        "generate resets the state each step",
        "models",
        FED,
        f"self.lstm.set_state(h, c); {FED}",
        "test_models.py::test_generate_feeds_its_own_choices_back",
    ),
    Bug(
        "generate takes the largest over the batch",
        "models",
        FED,
        "written[:, t] = (fed := self.step(fed, h).argmax(axis=0)[:, :1].repeat(len(h), 0))[:, 0]",
        "test_models.py::test_generate_feeds_its_own_choices_back",
    ),
    Bug(
        "generate goes on from the question before",
        "models",
        "self.lstm.set_state(h, c)\n        h = self.lstm.h",
        "if self.lstm.h is None: self.lstm.set_state(h, c)\n        h = self.lstm.h",
        "test_models.py::test_generate_forgets_the_question_before",
    ),
    Bug(
        "model: a question alone is computed alone",
        "models",
        "alone = len(xs) == 1",
        "alone = False",
        f"{VERY_SCORES}[model-baseline]",
    ),
    Bug(
        "decoder: a state alone is computed alone",
        "models",
        "if len(h) == 1:",
        "if False:",
        f"{VERY_SCORES}[decoder-baseline]",
    ),
    # optimizers
    Bug(
        "clipping each array by its own norm",
        "optimizers",
        "g *= max_norm / norm",
        "g *= max_norm / np.sqrt(np.vdot(g, g))",
        f"{CLIPPED}_shortens_all_gradients_by_one_factor",
    ),
    Bug(
        "clipping always",
        "optimizers",
        "if norm > max_norm:",
        "if norm > 0:",
        "test_parity.py::test_results_equal_those_that_pytorch_once_gave[f64-clip-short]",
    ),
    Bug(
        "Adam's m not corrected for its start at zero",
        "optimizers",
        "step = self.rate / (1 - self.beta1**self.t)",
        "step = self.rate",
        ADAM,
    ),
    Bug(
        "Adam's v not corrected for its start at zero",
        "optimizers",
        "unbias = 1 / np.sqrt(1 - self.beta2**self.t)",
        "unbias = 1.0",
        ADAM,
    ),
    Bug(
        "Adam's eps inside the root",
        "optimizers",
        "root = np.sqrt(v)\n            root *= unbias\n            root += self.eps",
        "root = np.sqrt(v * unbias**2 + self.eps)",
        ADAM,
    ),
    Bug(
        "Adam's v without the square",
        "optimizers",
        "v += (1 - self.beta2) * g * g",
        "v += (1 - self.beta2) * np.abs(g)",
        ADAM,
    ),
    Bug(
        "Adam rebinds the parameters",
        "optimizers",
        "p -= root",
        "self.params[name] = p - root",
        "test_optimizers.py::test_adam_updates_in_place_and_keeps_dtypes_and_gradients",
    ),
    # around the models
    Bug(
        "characters counted as answers",
        "evaluation",
        "return (right | ~counted).all(axis=1)",
        "return (right | ~counted).mean(axis=1)",
        "test_evaluation.py::test_with_every_units_digit_wrong_three_characters_in_four_are_right"
        "_and_no_answer",
    ),
    Bug(
        "what stands behind the end mark counts",
        "evaluation",
        "counted = np.cumsum(ends, axis=1) - ends == 0",
        "pass",
        "test_evaluation.py::test_with_an_end_mark_nothing_behind_it_counts",
    ),
    Bug(
        "the map of sums is transposed",
        "evaluation",
        'f"{a}+{b}"',
        'f"{b}+{a}"',
        "test_evaluation.py::test_every_sum_tells_the_first_number_from_the_second",
    ),
    Bug(
        "trace shows the state before the step",
        "trace",
        "h=kept.h[1:, 0].copy()",
        "h=kept.h[:-1, 0].copy()",
        "test_trace.py::test_states_follow_from_gates_by_the_lstm_s_two_equations",
    ),
    Bug(
        "trace hands out the layer's own arrays",
        "trace",
        "h=kept.h[1:, 0].copy()",
        "h=kept.h[1:, 0]",
        "test_trace.py::test_arrays_are_copies_that_no_later_call_changes",
    ),
    Bug(
        "the answer is reversed too",
        "encoding",
        "order = -1 if self.units_first else 1",
        "order = -1 if self.units_first or self.reverse else 1",
        "test_evaluation.py::test_evaluate_lays_out_questions_and_answers_and_compares",
    ),
    Bug(
        "padding on the wrong side",
        "encoding",
        'pad = str.rjust if side == "front" else str.ljust',
        'pad = str.ljust if side == "front" else str.rjust',
        "test_encoding.py::test_the_table_in_the_docstring_shows_how_questions_are_read",
    ),
    Bug(
        "splits share mirror images",
        "data",
        'return tuple(sorted(question.split("+")))',
        'return tuple(question.split("+"))',
        "test_data.py::test_examples_are_split_whole_with_mirrors_on_one_side",
    ),
    Bug(
        "mirror images of excluded questions come",
        "data",
        "return sorted(map(int, parts))",
        "return list(map(int, parts))",
        "test_data.py::test_excluded_questions_come_neither_as_they_are_nor_mirrored",
    ),
    # what is measured
    Bug(
        "errors of 100 counted with those below",
        "analysis",
        "np.digitize(distance, [1, 10, 100])",
        "np.digitize(distance, [1, 10, 101])",
        "test_analysis.py::test_errors_are_put_in_classes_by_their_distance_from_the_sum",
    ),
    Bug(
        "mirror images not turned round",
        "measures",
        "known[tuple(trained[::-1])]",
        "known[tuple(trained)]",
        "test_measures.py::test_trained_questions_their_mirror_images_and_new_ones_are_told_apart",
    ),
    Bug(
        "snapshots that begin after the first epoch",
        "measures",
        "[answers(), *(answers() for _ in trainer.run())]",
        "[*(answers() for _ in trainer.run()), answers()]",
        "test_measures.py::test_snapshots_are_what_runs_of_fewer_epochs_answer[baseline]",
    ),
    Bug(
        "a repeated run may end with nearly the same weights",
        "measures",
        "np.array_equal(params[name], array)",
        "np.allclose(params[name], array)",
        "test_measures.py::test_snapshots_of_a_run_that_ends_with_other_weights_are_refused",
    ),
    Bug(
        "paths of a reversed question left in reading order",
        "measures",
        "lengths[::-1] if layout.reverse else lengths",
        "lengths",
        "test_measures.py::test_paths_are_in_the_order_in_which_a_question_is_written[True]",
    ),
    Bug(
        "the best of the runs for the middle one",
        "results",
        "[len(runs) // 2]",
        "[-1]",
        "test_results.py::test_the_median_run_has_as_many_above_as_below",
    ),
    Bug(
        "weights of another recipe taken for this one's",
        "experiments",
        "checkpoint.recipe == recipe and ",
        "",
        "test_experiments.py::"
        "test_weights_of_another_recipe_or_unfinished_under_the_right_name_are_not_used",
    ),
    # what is drawn
    Bug(
        "marks that grow too late",
        "frames.parts",
        "(SIZES + 0.5) + 0.5)",
        "SIZES + 0.5)",
        "test_parts.py::test_a_grid_shows_each_number_at_its_place_with_its_sign_and_size",
    ),
    Bug(
        "numbers below zero drawn as those above",
        "frames.parts",
        '_marks(np.where(below, sizes, 0), "n")',
        '_marks(np.where(below, sizes, 0), "p")',
        "test_parts.py::test_marks_grow_with_the_number_to_the_largest_and_stay_there",
    ),
    Bug(
        "those that moved least are framed",
        "frames.parts",
        'np.argsort(-change, kind="stable")[:MOST_MOVED]',
        'np.argsort(change, kind="stable")[-MOST_MOVED:]',
        "test_parts.py::test_of_numbers_that_moved_alike_the_first_ones_are_framed",
    ),
    Bug(
        "a probability of nearly one is told as 100",
        "frames.parts",
        'return "&gt;99" if 1 - SEEN <= p < 1 else f"{100 * p:.0f}"',
        'return f"{100 * p:.0f}"',
        "test_parts.py::test_a_share_is_whole_and_ends_at_0_and_100_only_if_it_is_exactly_that",
    ),
    Bug(
        "a tile's character is not escaped",
        "frames.parts",
        'text = "" if character == PAD else html.escape(character)',
        'text = "" if character == PAD else character',
        "test_parts.py::test_a_character_that_html_knows_is_shown_as_a_character",
    ),
    Bug(
        "a decoder that starts at zero",
        "frames.steps",
        "if k else (t.bridge_h, t.bridge_c)",
        "if k else (0 * t.bridge_h, 0 * t.bridge_c)",
        "test_step_frames.py::test_a_step_of_the_decoder_shows_h_and_what_is_inside_and_scores[cell]",
    ),
    Bug(
        "the last mistake called the first",
        "frames.answer",
        "next((k for k, (was, right) in both if right not in (was, None)), None)",
        "max((k for k, (was, right) in both if right not in (was, None)), default=None)",
        "test_answer_frames.py::"
        "test_the_first_mistake_is_marked_where_it_is_and_nowhere_else[wrong3-small]",
    ),
    Bug(
        "c goes over where it stays behind",
        "frames.steps",
        '"c" if both else "c left",',
        '"c",',
        "test_step_frames.py::test_h_goes_over_and_c_only_where_the_recipe_says_so[small]",
    ),
    Bug(
        "the tape of a reversed question in reading order",
        "frames.answer",
        "(reversed(order) if answer.recipe.reverse else order)",
        "order",
        "test_answer_frames.py::"
        "test_the_tape_has_the_question_as_written_and_marks_how_far_it_is_read[reversed]",
    ),
    Bug(
        "the choice goes back in a step too early",
        "frames.steps",
        "len(answer.read) + k + 3",
        "len(answer.read) + k + 2",
        "test_step_frames.py::"
        "test_the_choice_goes_back_in_at_the_next_step_and_the_last_one_nowhere[small]",
    ),
    Bug(
        "a loss without its logarithm",
        "frames.forcing",
        "0.0 - log_softmax(forced.scores)[",
        "1.0 - np.exp(log_softmax(forced.scores))[",
        "test_forcing_frames.py::"
        "test_the_loss_is_minus_the_logarithm_of_the_right_character_s_probability[small]",
    ),
    Bug(
        "the loss of the decoder that is fed its own choices",
        "frames.forcing",
        "log_softmax(forced.scores)",
        "log_softmax(free.scores)",
        "test_forcing_frames.py::"
        "test_the_loss_is_minus_the_logarithm_of_the_right_character_s_probability[peeking]",
    ),
    Bug(
        "what is added drawn as what is kept",
        "frames.cell",
        'added = shown(i * g, "c", "added", C_SCALE)',
        'added = shown(f * c_before, "c", "added", C_SCALE)',
        "test_cell_frames.py::test_a_step_taken_apart_is_put_together_from_the_trace_s_arrays[small]",
    ),
    Bug(
        "answers of the epoch before",
        "frames.epochs",
        'answer = run["answers"][question][epoch]',
        'answer = run["answers"][question][max(0, epoch - 1)]',
        "test_epoch_frames.py::"
        "test_answers_after_each_epoch_are_those_of_the_runs_and_are_judged[made up]",
    ),
    Bug(
        "training fed the model's own choices",
        "steppers",
        "forced = solver.trace(question, answer=right)",
        "forced = solver.trace(question)",
        "test_steppers.py::"
        "test_forcing_is_drawn_from_a_trace_fed_the_right_answer_and_one_fed_its_own",
    ),
    Bug(
        "the first frame of every run is awake",
        "pages",
        "seen = frames.pop(0) if first else",
        "seen = frames.pop(0) if frames else",
        "test_pages.py::test_only_the_first_frame_of_all_is_awake",
    ),
    Bug(
        "a menu without a choice",
        "pages",
        "if len(options) == 1:",
        "if not options:",
        "test_pages.py::test_there_is_a_menu_only_where_there_is_something_to_choose",
    ),
]


def wrong_source(bug):
    """The text of the bug's module with the bug in it"""
    source = (ROOT / bug.file).read_text(encoding="utf-8")
    found = source.count(bug.right)
    assert found == 1, f"{bug.name}: expected {bug.right!r} once in {bug.file}, got {found}"
    return source.replace(bug.right, bug.wrong)


@contextmanager
def copy_of_the_library():
    with tempfile.TemporaryDirectory() as folder:
        copy, skip = Path(folder), shutil.ignore_patterns("__pycache__", "pretrained", "book")
        for name in ("seq2seq_lib", "tests", "benchmarks"):
            shutil.copytree(ROOT / name, copy / name, ignore=skip)
        shutil.copy(ROOT / "pyproject.toml", copy)
        yield copy


def run_tests(copy, *tests):
    """pytest's exit code in ``copy``; RuntimeError if it was not the copy that was tested"""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "-q", "-x", "-p", "no:cacheprovider"]
        + [f"tests/{test}" for test in tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode - 100 not in (PASSED, FAILED):
        raise RuntimeError(f"{', '.join(tests)} did not run:\n{done.stdout}{done.stderr}")
    return done.returncode - 100


def is_killed(bug):
    with copy_of_the_library() as copy:
        (copy / bug.file).write_text(wrong_source(bug), encoding="utf-8")
        return run_tests(copy, bug.test) == FAILED


def main():
    with copy_of_the_library() as copy:
        if run_tests(copy, *sorted({bug.test for bug in BUGS})) != PASSED:
            print("a named test fails on the unchanged library")
            return 1
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        killed = 0
        for bug, dead in zip(BUGS, pool.map(is_killed, BUGS), strict=True):
            print(f"{bug.module:14} {bug.name:58} {bug.test if dead else 'SURVIVED'}", flush=True)
            killed += dead
    print(f"{killed} of {len(BUGS)} seeded bugs killed")
    return 0 if killed == len(BUGS) else 1


if __name__ == "__main__":
    sys.exit(main())
