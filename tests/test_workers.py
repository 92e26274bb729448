"""Tasks are done once each, here or on a cluster, whatever dies, and nothing is left behind."""

import logging
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from chores import (
    KILL,
    Task,
    count,
    die_at_three,
    die_in_a_message,
    halve,
    look_at_threads,
    meet,
    raise_an_odd_error,
    return_ten_megabytes,
    return_what_cannot_be_sent,
    tell_and_return,
    wait_for_the_end,
)
from runs import ROOT, environment

from seq2seq_lib import workers
from seq2seq_lib.workers import THREADS, run_all

CLUSTER = """
import logging, sys
from distributed import LocalCluster
if __name__ == "__main__":
    options = {"dashboard_address": None, "silence_logs": logging.CRITICAL + 1}
    with LocalCluster(n_workers=int(sys.argv[1]), threads_per_worker=1, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextmanager
def started_cluster(folder, n_workers):
    """A Dask scheduler and its workers, in processes of their own -> its address, its process"""
    (folder / "cluster.py").write_text(CLUSTER)
    settings = {
        "DASK_CONFIG": str(folder),
        "DASK_TEMPORARY_DIRECTORY": str(folder),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",  # that a task needs to die less often
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",  # for results of workers just killed
        "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1h",  # else LocalCluster gives one up
    }
    with subprocess.Popen(
        [sys.executable, "cluster.py", str(n_workers)],
        cwd=folder,
        env=environment(PYTHONPATH=str(ROOT / "tests"), **settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process.stdout.readline().strip(), process
        process.kill()  # its workers end with it


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with started_cluster(tmp_path_factory.mktemp("cluster"), 2) as (address, _):
        yield address


@pytest.fixture(params=["here", "cluster"])
def where(request):
    if request.param == "here":
        return {"jobs": 2}
    return {"scheduler": request.getfixturevalue("cluster")}


def by_key(events):
    found = {}
    for kind, key, payload in events:
        found.setdefault(key, []).append((kind, payload))
    return found


def test_every_task_is_told_of_and_then_done_once(where):
    tasks = {Task(n): (n,) for n in (0, 1, 2, 4, 5)}
    assert by_key(run_all(halve, tasks, **where)) == {
        Task(n): [("told", {"whole": n}), ("told", "nearly"), ("done", n / 2)]
        for n in (0, 1, 2, 4, 5)
    }


def test_a_task_that_raises_fails_with_what_it_raised_and_the_others_are_done(where):
    found = by_key(run_all(halve, {n: (n,) for n in range(5)}, **where))
    told, (kind, error) = found.pop(3)
    assert (told, kind) == (("told", {"whole": 3}), "failed")
    assert isinstance(error, ValueError) and str(error) == "3 is odd"
    assert [found[n][2:] for n in (0, 1, 2, 4)] == [[("done", n / 2)] for n in (0, 1, 2, 4)]


def test_a_task_whose_value_cannot_be_sent_fails():
    ((kind, _, error),) = run_all(return_what_cannot_be_sent, {0: ()})
    assert kind == "failed" and "return_what_cannot_be_sent" in str(error)


def test_a_large_value_arrives(where):
    ((kind, _, value),) = run_all(return_ten_megabytes, {0: ()}, **where)
    assert (kind, value) == ("done", bytes(10_000_000))


def test_no_tasks_are_no_work(where):
    assert list(run_all(halve, {}, **where)) == []


def test_tasks_begin_in_their_order():
    events = run_all(halve, {n: (n,) for n in (5, 1, 4, 2)}, jobs=1)
    assert [key for kind, key, message in events if message == "nearly"] == [5, 1, 4, 2]


def test_as_many_tasks_as_asked_for_are_done_at_a_time(tmp_path):
    under_way, most = 0, 0
    for kind, _, _ in run_all(meet, {n: (tmp_path, n) for n in range(4)}, jobs=2):
        assert kind != "failed"
        under_way += 1 if kind == "told" else -1
        most = max(most, under_way)
    assert most == 2


def test_a_worker_has_one_thread_and_the_variables_stay_what_they_were(monkeypatch):
    monkeypatch.setenv(THREADS[0], "3")
    monkeypatch.delenv(THREADS[1], raising=False)
    before = dict(os.environ)
    for kind, _, value in run_all(look_at_threads, {0: (), 1: ()}):
        assert os.environ == before
        assert kind == "told" or value == ["1"] * len(THREADS)
    assert os.environ == before


def test_tasks_whose_workers_are_killed_are_repeated_and_none_is_done_twice(where):
    found, killed = {}, []
    for kind, key, payload in run_all(count, {n: (n,) for n in range(6)}, **where):
        found.setdefault(key, []).append((kind, payload))
        if kind == "told" and payload[0] == 1 and key in {2, 3} - set(killed):
            killed.append(key)
            os.kill(payload[1], KILL)
    assert sorted(killed) == [2, 3]
    for n in range(6):
        *told, end = found[n]
        assert end == ("done", n) and {kind for kind, _ in told} == {"told"}
        steps = [step for _, (step, _) in told]
        assert steps[-4:] == [0, 1, 2, 3] and (len(steps) > 4 or n not in killed)
        assert len(steps) == 4 or n in killed or "scheduler" in where


@pytest.mark.parametrize("number", workers.INTERRUPTS)
def test_a_worker_that_alone_is_interrupted_says_nothing_and_its_task_is_repeated(number, capfd):
    found = []
    for kind, _, payload in run_all(count, {0: (0,)}):
        found.append((kind, payload))
        if len(found) == 2:
            os.kill(payload[1], number)
    assert [payload[0] for _, payload in found[-5:-1]] == [0, 1, 2, 3] and len(found) > 6
    assert found[-1] == ("done", 0)
    assert capfd.readouterr().err == ""


def test_a_value_lost_with_its_worker_is_found_again_and_nothing_is_told_after_it(cluster):
    lost, found = {}, {}
    for kind, key, payload in run_all(
        tell_and_return, {n: (n,) for n in range(2)}, scheduler=cluster
    ):
        found.setdefault(key, []).append((kind, payload))
        if not lost:
            time.sleep(0.5)  # it is done by now, and its value still there
            lost[key] = payload[1]
            os.kill(payload[1], KILL)
    assert [events[-1] for _, events in sorted(found.items())] == [("done", 0), ("done", 1)]
    assert [kind for events in found.values() for kind, _ in events].count("done") == 2


def test_a_task_that_always_kills_its_process_fails_and_the_others_are_done(where):
    found = by_key(run_all(die_at_three, {n: (n,) for n in range(6)}, **where))
    kind, error = found.pop(3)[-1]
    assert kind == "failed" and isinstance(error, ChildProcessError)
    how = "2 Dask workers lost" if "scheduler" in where else "exit code -?9"
    assert re.fullmatch(rf"its process died twice, the second time alone \({how}\)", str(error))
    assert {n: events[-1] for n, events in found.items()} == {n: ("done", n) for n in found}
    assert all({kind for kind, _ in events[:-1]} == {"told"} for events in found.values())


def test_a_task_whose_process_died_is_repeated_after_all_others():
    *events, last = run_all(die_at_three, {n: (n,) for n in range(6)}, jobs=2)
    told = [key for kind, key, _ in events if kind == "told"]
    assert sorted(told) == [0, 1, 2, 3, 3, 4, 5]
    assert events[-1] == ("told", 3, 3) and last[:2] == ("failed", 3)


def test_a_worker_killed_in_the_middle_of_a_message_is_one_that_died(tmp_path):
    marker, found = tmp_path / "marker", []
    for kind, _, payload in run_all(die_in_a_message, {0: (marker,)}):
        found.append((kind, payload))
        if len(found) == 1:
            while not marker.exists():
                time.sleep(0.02)
            time.sleep(0.2)  # the pipe is full, and the rest waits for a reader
            multiprocessing.active_children()[0].kill()
    assert found == [("told", "small"), ("told", "small"), ("done", "whole")]


def test_a_sweep_that_is_closed_early_leaves_no_process(tmp_path):
    sweep = run_all(wait_for_the_end, {n: (tmp_path, n) for n in range(9)}, jobs=2)
    assert {next(sweep)[1], next(sweep)[1]} == {0, 1}
    assert len(multiprocessing.active_children()) == 2
    sweep.close()
    assert not multiprocessing.active_children()
    assert len(list(tmp_path.iterdir())) == 2


PROGRAM = """
import pathlib
from chores import wait_for_the_end
from seq2seq_lib.workers import run_all
sweep = run_all(wait_for_the_end, {n: (pathlib.Path(), n) for n in range(9)}, jobs=2)
print(next(sweep)[0])
"""


def test_a_program_that_ends_in_the_middle_of_a_sweep_leaves_no_process(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT / "tests")),
        capture_output=True,
        text=True,
        check=True,
        timeout=20,  # as long as any worker keeps our pipes open, this goes on
    )
    assert (done.stdout, done.stderr) == ("told\n", "")


def wait_for_tasks_at(scheduler, n):
    """Until a Dask scheduler knows ``n`` tasks."""
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        deadline = time.monotonic() + 20
        while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) != n:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_sweep_that_is_closed_early_leaves_no_task_on_the_cluster(cluster, tmp_path):
    sweep = run_all(wait_for_the_end, {n: (tmp_path, n) for n in range(9)}, scheduler=cluster)
    next(sweep)
    wait_for_tasks_at(cluster, 9)
    sweep.close()
    wait_for_tasks_at(cluster, 0)
    (tmp_path / "end").touch()
    assert len(list(tmp_path.iterdir())) < 9


SWEEP = """
import os, pathlib, signal, sys, time
from chores import wait_for_the_end
from seq2seq_lib.workers import run_all
def interrupt(number, frame):
    raise KeyboardInterrupt
if __name__ == "__mp_main__":
    sys.stdout.write(f"starting {os.getpid()}\\n")  # in one piece: others write there, too
    sys.stdout.flush()
    time.sleep(0.3)
if __name__ == "__main__":
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    tasks = {n: (pathlib.Path(), n) for n in range(4)}
    try:
        for kind, _, _ in run_all(wait_for_the_end, tasks, jobs=2, scheduler=sys.argv[1] or None):
            print(kind, flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@contextmanager
def sweep_in_a_group(folder, scheduler):
    """A sweep in a process that leads a group; none of the group is left afterwards."""
    (folder / "sweep.py").write_text(SWEEP)
    with subprocess.Popen(
        [sys.executable, "-W", "error", "sweep.py", scheduler],
        cwd=folder,
        env=environment(PYTHONPATH=str(ROOT / "tests")),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            yield child
        finally:
            (folder / "end").touch()
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", workers.INTERRUPTS)
@pytest.mark.parametrize(
    ("send", "moment"), [("kill", "told"), ("killpg", "starting"), ("killpg", "told")]
)
def test_an_interrupt_ends_the_sweep_at_once_and_its_workers_in_silence(
    tmp_path, number, send, moment
):
    with sweep_in_a_group(tmp_path, scheduler="") as child:
        for line in child.stdout:
            if line.startswith(moment):
                break
        getattr(os, send)(child.pid, number)
        _, errors = child.communicate(timeout=20)  # ends when no worker has our pipe any more
        assert (child.returncode, errors) == (130, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", workers.INTERRUPTS)
def test_workers_that_alone_are_interrupted_while_they_start_say_nothing(tmp_path, number):
    with sweep_in_a_group(tmp_path, scheduler="") as child:
        for _ in range(2):
            while not (line := child.stdout.readline()).startswith("starting"):
                assert line
            os.kill(int(line.split()[1]), number)
        (tmp_path / "end").touch()
        output, errors = child.communicate(timeout=20)
    assert (child.returncode, errors, output.count("done")) == (0, "", 4)
    assert output.count("starting") == 4  # two for the tasks that were left, two repetitions


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_an_interrupt_ends_a_sweep_on_a_cluster_and_its_tasks(cluster, tmp_path):
    with sweep_in_a_group(tmp_path, scheduler=cluster) as child:
        assert child.stdout.readline() == "told\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=20)
        assert (child.returncode, errors) == (130, "")
        wait_for_tasks_at(cluster, 0)


def test_a_scheduler_that_is_gone_is_told_in_one_sentence(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("distributed.client"), "handlers", [caplog.handler])
    with started_cluster(tmp_path, 1) as (address, process):
        sweep = run_all(wait_for_the_end, {n: (tmp_path, n) for n in range(3)}, scheduler=address)
        assert next(sweep)[0] == "told"
        process.kill()
        with pytest.raises(ConnectionError, match=r"^scheduler: the connection was lost$"):
            list(sweep)
    assert not caplog.records


@pytest.mark.parametrize(
    "address",
    [
        "",
        "8786",
        "here",
        "127.0.0.1:8786",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://:8786",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:port",
        "tcp://127.0.0.1:-1",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:8786/",
        "tcp://127.0.0.1:8786\n",
        "tcp://a b:8786",
        "http://127.0.0.1:8787",
    ],
)
def test_what_is_no_address_is_refused(address):
    wanted = r"^scheduler: expected an address such as tcp://127\.0\.0\.1:8786, got '.*'$"
    with pytest.raises(ValueError, match=wanted) as refused:
        next(run_all(halve, {0: (0,)}, scheduler=address))
    assert ascii(address) in str(refused.value)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, f"tcp://127.0.0.1:{server.getsockname()[1]}"


def nobody_answers(address):
    with pytest.raises(ConnectionError, match=rf"^scheduler: nobody answers at {address}: .+$"):
        next(run_all(halve, {0: (0,)}, scheduler=address))


def test_an_address_where_nobody_listens_is_refused(listener):
    server, address = listener
    server.close()
    nobody_answers(address)


def test_an_address_where_something_listens_that_says_nothing_is_refused(listener, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.3)
    nobody_answers(listener[1])


def test_a_host_that_cannot_be_one_is_refused():
    nobody_answers("tcp://" + "a" * 70 + ":8786")


def test_without_dask_a_scheduler_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'seq2seq-lib\[cluster\]'$"):
        next(run_all(halve, {0: (0,)}, scheduler="tcp://127.0.0.1:8786"))


def test_without_a_scheduler_dask_is_not_loaded():
    code = "import sys, seq2seq_lib.workers; sys.exit('distributed' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)


def test_an_error_that_cannot_be_put_together_again_is_told_by_its_text():
    found = by_key(run_all(raise_an_odd_error, {1: ("one",), 2: ("two",)}, jobs=2))
    for key, text in (1, "one"), (2, "two"):
        kind, error = found[key][-1]
        assert kind == "failed" and str(error) == f"OddError: {text}"
