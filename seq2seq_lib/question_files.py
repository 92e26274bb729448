"""Questions and answers from a text file, one a line, in the original's format or any width."""

from seq2seq_lib.data import Examples
from seq2seq_lib.encoding import DELIMITER, PAD, shown
from seq2seq_lib.files import read_ordinary_file

LARGEST_FILE = 200_000_000  # bytes
LONGEST_TEXT = 200  # characters in one question or answer


def read_examples(path):
    """A file of lines like ``16+75  _91  ``, of any widths -> ``Examples``.

    UTF-8 text; what stands before the delimiter is the question, what stands behind it the answer,
    each without the blanks around it. A closing delimiter is allowed, and so are empty lines at
    the end. Raises ValueError naming the file, the first ten bad lines, and how many there are.
    """
    lines = _read_text(path).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError(f"{path}: expected a question and its answer on each line, got no line")
    questions, answers, wrong, line_of = [], [], [], {}
    for number, line in enumerate(lines, start=1):
        question, delimiter, answer = line.partition(DELIMITER)
        question, answer = question.strip(PAD), answer.rstrip(PAD).removesuffix(DELIMITER)
        answer = answer.strip(PAD)
        fault = _fault(question, delimiter, answer)
        if not fault and question in line_of:
            fault = f"expected a new question, got the one of line {line_of[question]}"
        if fault:
            wrong.append(f"line {number}: {fault}: {shown(line)}")
        line_of.setdefault(question, number)
        questions.append(question)
        answers.append(answer)
    if wrong:
        more = f"; and {len(wrong) - 10} more bad lines" if len(wrong) > 10 else ""
        raise ValueError(f"{path}: {'; '.join(wrong[:10])}{more}")
    return Examples(questions, answers)


def _fault(question, delimiter, answer):
    if not delimiter:
        return f"expected the delimiter {DELIMITER} between question and answer"
    if not question or not answer:
        return f"expected a question before the delimiter {DELIMITER} and an answer behind it"
    if DELIMITER in answer:
        return f"expected one answer, got another delimiter {DELIMITER} within it"
    if max(len(question), len(answer)) > LONGEST_TEXT:
        return f"expected at most {LONGEST_TEXT} characters"
    if not (question + answer).isprintable():
        return "expected characters that can be printed"
    return None


def _read_text(path):
    """The text of a file, whatever its kind of line ends. Raises ValueError."""
    content = read_ordinary_file(path, LARGEST_FILE)
    if content.startswith(b"\x1f\x8b"):
        raise ValueError(f"{path}: expected plain text, got a gzip archive: unpack it first")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}: line {line}: expected UTF-8 text: {error.reason}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
