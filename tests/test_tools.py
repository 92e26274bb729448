"""The commands: what they install, when they build again, which tests they choose."""

import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import __main__ as command_line
from tools import changed, commands, environment, locks, site

ROOT = Path(__file__).parents[1]


# Locks


def pins_of(text, where):
    """{name: (version, extras)} of a lock's text, for an interpreter and a system"""
    lines = re.findall(r"^([^\s#-].*?)\s*\\$", text, flags=re.MULTILINE)
    pins = [Requirement(line) for line in lines]
    return {
        canonicalize_name(pin.name): (str(pin.specifier).removeprefix("=="), pin.extras)
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(where)
    }


def missing(pins, where):
    """What the pinned packages need, extras included, and the lock has not.

    The needs are those that the installed packages state; some are for other systems, and what is
    not installed here cannot be asked (`make check-locks` asks the index about those).
    """
    for name, (_, extras) in pins.items():
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in map(Requirement, needs):
            wanted = any(
                need.marker is None or need.marker.evaluate(where | {"extra": extra})
                for extra in ("", *extras)
            )
            version, has = pins.get(canonicalize_name(need.name), (None, set()))
            if wanted and not (version and need.specifier.contains(version, prereleases=True)):
                yield f"{name} needs {need}, the lock has {version}"
            elif wanted and need.extras - has:
                yield f"{name} needs {need}, the lock has the extras {sorted(has)}"


SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}


def where(version, system):
    return default_environment() | {
        "python_version": version,
        "python_full_version": f"{version}.0",
        **SYSTEMS[system],
    }


def text_of(names):
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


@pytest.mark.parametrize("names", [environment.BOOK, environment.DEVELOPMENT], ids=len)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("version", locks.PYTHONS)
def test_the_locks_hold_all_that_their_packages_need_extras_included(names, version, system):
    pins = pins_of(text_of(names), where(version, system))
    assert len(pins) > 100
    assert list(missing(pins, where(version, system))) == []


def test_a_lock_without_an_extra_or_a_package_is_seen_to_be_incomplete():
    here, text = where("3.11", "Linux"), text_of(environment.DEVELOPMENT)
    without_extra = pins_of(text.replace("coverage[toml]==", "coverage=="), here)
    assert any("coverage[toml]" in fault for fault in missing(without_extra, here))
    without_package = pins_of(re.sub(r"(?m)^markupsafe==", "markupsafe-gone==", text), here)
    assert any(re.search("markupsafe", fault, re.I) for fault in missing(without_package, here))


def test_no_package_is_pinned_twice_and_every_pin_has_a_hash():
    names = [name for lock in environment.LOCKS for name in locks.pinned(lock)]
    assert len(set(names)) == len(names)
    for lock in (*environment.LOCKS, environment.INSTALLER):
        blocks = re.split(r"\n(?=[^\s#])", text_of([lock]).strip())
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_who_only_reads_and_runs_the_chapters_downloads_nothing_for_developers():
    heavy = r"(?m)^(playwright|dask|distributed|hypothesis|pytest|torch)\b"
    for name in ("requirements.lock", "requirements.txt"):
        assert re.findall(heavy, text_of([name])) == []


def test_a_wheel_with_another_hash_is_refused(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    answers = {}
    for name, said in ("right", digest), ("wrong", "0" * 64):
        lock, target = tmp_path / f"{name}.lock", tmp_path / name
        pin = "==".join(wheel.name.split("-")[:2])
        lock.write_text(f"{pin} --hash=sha256:{said}", encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "install", *environment.STRICTLY]
        command += ["--no-deps", "--no-index", "--find-links", str(tmp_path)]
        command += ["--target", str(target), "-r", str(lock)]
        variables = environment.surroundings(UV_CACHE_DIR=str(tmp_path / "cache"))
        answers[name] = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False
        )
    assert answers["right"].returncode == 0 and (tmp_path / "right" / "seq2seq_lib").is_dir()
    assert answers["wrong"].returncode != 0 and "ash mismatch" in answers["wrong"].stderr
    assert not (tmp_path / "wrong" / "seq2seq_lib").exists()


# The environment


def test_settings_that_would_send_packages_elsewhere_are_left_out(monkeypatch):
    for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_NO_INDEX", "UV_TARGET", "PYTHONPATH"):
        monkeypatch.setenv(name, "1")
    variables = environment.surroundings()
    assert not {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_NO_INDEX"} & set(variables)
    assert not {"UV_TARGET", "PYTHONPATH"} & set(variables)
    inside = [value for value in variables.values() if str(environment.CACHE) in value]
    assert len(inside) >= 10


def test_of_pip_s_settings_the_sources_alone_are_taken_over(monkeypatch, tmp_path):
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://mirror.example/simple\ntarget = /nowhere\nuser = true\n"
        "[install]\nproxy = http://proxy.example:8080\n",
        encoding="utf-8",
    )
    for name in [name for name in environment.os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.example/simple")
    found = environment.sources_of_packages()
    assert found["PIP_INDEX_URL"] == found["UV_DEFAULT_INDEX"] == "https://nearer.example/simple"
    assert found["ALL_PROXY"] == "http://proxy.example:8080"
    assert not [name for name in found if "TARGET" in name or "USER" in name]


@pytest.fixture
def set_up_in(monkeypatch, tmp_path):
    """A function that sets up a checkout in ``tmp_path``, and returns what it would have run."""
    names = (*environment.LOCKS, environment.INSTALLER, "pyproject.toml")
    (tmp_path / "tools").mkdir()
    for name in names:
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "CACHE", tmp_path / ".cache")
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(environment, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(environment, "sources_of_packages", dict)

    def set_up_in(lock_names, fail=False):
        ran = []

        def run(*command, **_):
            (tmp_path / ".venv").mkdir(exist_ok=True)
            (tmp_path / ".venv" / "python").touch()
            ran.append(" ".join(map(str, command)))
            if fail and "requirements.lock" in command:
                raise subprocess.CalledProcessError(1, command)

        monkeypatch.setattr(environment, "run", run)
        try:
            environment.set_up(lock_names)
        except subprocess.CalledProcessError:
            ran.append("failed")
        return ran

    return set_up_in


def test_an_environment_is_made_once_and_what_is_missing_is_added(set_up_in):
    assert any("-m venv --clear" in command for command in set_up_in(environment.BOOK))
    assert set_up_in(environment.BOOK) == []
    added = set_up_in(environment.DEVELOPMENT)
    assert added and not any("-m venv" in command for command in added)
    assert set_up_in(environment.BOOK) == set_up_in(environment.DEVELOPMENT) == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "tools/uv.txt"])
def test_an_environment_made_of_something_else_is_made_anew(set_up_in, tmp_path, name):
    set_up_in(environment.BOOK)
    (tmp_path / name).write_text("another", encoding="utf-8")
    assert any("-m venv --clear" in command for command in set_up_in(environment.BOOK))


def test_a_moved_checkout_gets_a_new_environment(set_up_in, tmp_path):
    set_up_in(environment.BOOK)
    stamp = tmp_path / ".venv" / "stamp"
    moved = json.loads(stamp.read_text(encoding="utf-8")) | {"folder": "/elsewhere"}
    stamp.write_text(json.dumps(moved), encoding="utf-8")
    assert any("-m venv --clear" in command for command in set_up_in(environment.BOOK))


def test_an_environment_whose_python_is_gone_is_made_anew(set_up_in, tmp_path):
    set_up_in(environment.BOOK)
    (tmp_path / ".venv" / "python").unlink()
    assert any("-m venv --clear" in command for command in set_up_in(environment.BOOK))


def test_a_set_up_that_failed_begins_again(set_up_in):
    assert set_up_in(environment.BOOK, fail=True)[-1] == "failed"
    assert any("-m venv --clear" in command for command in set_up_in(environment.BOOK))


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 14, 0)])
def test_other_pythons_are_refused_first(set_up_in, monkeypatch, tmp_path, version):
    monkeypatch.setattr(environment.sys, "version_info", version)
    with pytest.raises(environment.Refused, match=r"needs Python 3\.11, 3\.12 or 3\.13, and"):
        set_up_in(environment.BOOK)
    assert not (tmp_path / ".venv").exists()


def test_a_second_command_waits_for_the_first(set_up_in, tmp_path):
    code = f"""if True:
        from pathlib import Path
        from tools import environment
        environment.CACHE = Path({str(tmp_path / ".cache")!r})
        with environment.alone():
            print("its turn")
    """
    with environment.alone():
        second = subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert "waiting for it" in second.stdout.readline()
        assert second.poll() is None
    assert second.communicate(timeout=30)[0] == "its turn\n" and second.returncode == 0


# The site


@pytest.fixture
def pages(monkeypatch, tmp_path):
    for name in ("seq2seq_lib/pretrained", "book/results/road", "book/extensions", "book/assets"):
        (tmp_path / name).mkdir(parents=True)
    for name in (*FILES_BEHIND_THE_CELLS, "book/assets/book.css"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(site, "FINGERPRINTS", tmp_path / "_build" / "made-from")
    site.forget_what_is_stale()
    (tmp_path / "_build" / ".jupyter_cache").mkdir()
    (tmp_path / "_build" / ".doctrees").mkdir()
    return tmp_path


FILES_BEHIND_THE_CELLS = (
    *("seq2seq_lib/lstm.py", "seq2seq_lib/stepper.css", "seq2seq_lib/pretrained/best.npz"),
    *("book/results/variants.json", "book/results/road/run.npz", "book/extensions/book_site.py"),
    "requirements.lock",
)


@pytest.mark.parametrize("name", FILES_BEHIND_THE_CELLS)
def test_pages_are_made_again_when_what_is_behind_them_has_changed(pages, name):
    site.forget_what_is_stale()
    assert (pages / "_build" / ".jupyter_cache").exists()
    (pages / name).write_text("another", encoding="utf-8")
    site.forget_what_is_stale()
    assert not (pages / "_build" / ".jupyter_cache").exists()


def test_after_a_change_of_styles_pages_are_made_again_and_no_cell_is_run(pages):
    (pages / "book/assets/book.css").write_text("another", encoding="utf-8")
    site.forget_what_is_stale()
    assert (pages / "_build" / ".jupyter_cache").exists()
    assert not (pages / "_build" / ".doctrees").exists()


@pytest.mark.parametrize("name", ["a?", "a%41"])
def test_a_path_in_which_jupyter_s_cache_cannot_lie_is_refused(monkeypatch, tmp_path, name):
    monkeypatch.setattr(site, "ROOT", tmp_path / name)
    with pytest.raises(environment.Refused, match=r"move .* elsewhere"):
        site.build()


def test_pages_are_made_again_when_something_behind_them_is_new_or_gone(pages):
    (pages / "book/results/new.json").write_text("{}", encoding="utf-8")
    first = site.fingerprint(site.BEHIND_THE_CELLS)
    (pages / "book/results/new.json").unlink()
    second = site.fingerprint(site.BEHIND_THE_CELLS)
    assert second != first
    (pages / "seq2seq_lib/__pycache__").mkdir()
    (pages / "seq2seq_lib/__pycache__/lstm.pyc").write_text("", encoding="utf-8")
    assert site.fingerprint(site.BEHIND_THE_CELLS) == second


# Which tests


@pytest.mark.parametrize(
    ("name", "first", "among"),
    [
        ("seq2seq_lib/lstm.py", "tests/test_lstm.py", "tests/book/test_chapter_layers.py"),
        (
            "book/encoder.ipynb",
            "tests/book/test_chapter_encoder.py",
            "tests/book/test_notebooks.py",
        ),
        ("book/glossary.md", "tests/book/test_notebooks.py", "tests/book/test_back_matter.py"),
        ("tests/conftest.py", "tests/book/test_back_matter.py", "tests/test_lstm.py"),
        ("book/results/road.json", "tests/book/test_chapter_road.py", None),
        ("tests/test_lstm.py", "tests/test_lstm.py", None),
        ("tests/reading.py", "tests/test_answer_frames.py", "tests/test_cell_frames.py"),
        ("tools/site.py", "tests/test_tools.py", None),
        ("_config.yml", "tests/test_tools.py", "tests/book/test_site_settings.py"),
    ],
)
def test_a_change_leads_to_the_tests_that_name_it(name, first, among):
    tests = changed.tests_of([name])
    assert first in tests[:4] and (among is None or among in tests)
    assert all((ROOT / test).is_file() for test in tests)


def test_outside_a_repository_check_says_what_it_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(changed, "ROOT", tmp_path)
    with pytest.raises(environment.Refused, match="git does not know this folder"):
        changed.files()


def test_what_is_new_or_changed_or_gone_is_found(monkeypatch, tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for name in ("kept", "changed", "gone"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    git("add", "-A")
    git("commit", "-m", "first")
    (tmp_path / "changed").write_text("another", encoding="utf-8")
    (tmp_path / "gone").unlink()
    (tmp_path / "neu é").write_text("new", encoding="utf-8")
    monkeypatch.setattr(changed, "ROOT", tmp_path)
    assert changed.files() == ["changed", "gone", "neu é"]


def test_every_module_of_the_library_leads_to_a_test():
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "seq2seq_lib").rglob("*.py")]
    untested = [name for name in modules if not changed.tests_of([name])]
    assert modules and untested == []


# The command line


def test_make_knows_the_commands_of_tools():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.search(r"^commands := ((?:.*\\\n)*.*)$", makefile, re.M)[1].replace("\\\n", " ")
    assert listed.split() == ["help", *command_line.COMMANDS]


def test_every_command_is_told_in_one_line(capsys):
    assert command_line.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(command_line.COMMANDS)
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bok"], "unknown command 'bok'; expected one of set-up, book,"),
        (["book", "now"], "expected 'book', got 'book now'"),
        (["serve", "1", "2"], "expected 'serve [port]', got 'serve 1 2'"),
        (["serve", "none"], "expected a port from 1 to 65535, got 'none'"),
        (["serve", "70000"], "expected a port from 1 to 65535, got '70000'"),
        (["night", "--old"], "expected nothing or --newest, got '--old'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(capsys, arguments, sentence):
    assert command_line.main(arguments) == environment.BAD_INPUT
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (subprocess.CalledProcessError(1, "pytest"), 1),
        (subprocess.CalledProcessError(-2, "pytest"), 130),
        (subprocess.CalledProcessError(-9, "pytest"), 1),
        (PermissionError(13, "Permission denied", ".cache"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_exit_code_says_whether_a_command_failed_or_was_interrupted(monkeypatch, raised, code):
    def fail():
        raise raised

    monkeypatch.setitem(command_line.COMMANDS, "lint", fail)
    assert command_line.main(["lint"]) == code


def test_a_port_in_use_is_told_in_one_sentence(tmp_path):
    import http.server

    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as taken:
        port = taken.server_port
        with pytest.raises(environment.Refused, match=f"Port {port} cannot be used"):
            site.serve(port)


def test_what_the_commands_make_is_ignored_by_git_and_deleted_by_clean(monkeypatch, tmp_path):
    made = [".venv/x", ".cache/x", "_build/x", ".ruff_cache/x", "tools/__pycache__/x", ".coverage"]
    for name in made:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    (tmp_path / "tools/site.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    commands.clean()
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ["tools/site.py"]
    ignored = subprocess.run(
        ["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ignored.returncode == 128 or ignored.stdout.split() == made  # 128: no repository


def test_the_tools_need_nothing_that_is_not_installed_yet():
    code = "import sys, tools.__main__; print(*(name.partition('.')[0] for name in sys.modules))"
    out = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    loaded = set(out.split()) - {"tools", "__main__"}
    assert {name for name in loaded if not name.startswith("_")} <= sys.stdlib_module_names
