"""One piece of work for many tasks, in processes of this machine or on a Dask cluster."""

import logging
import multiprocessing
import os
import queue
import re
import signal
import socket
import uuid
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import connection, resource_tracker
from multiprocessing.reduction import ForkingPickler  # what a pipe uses

INTERRUPTS = signal.SIGINT, signal.SIGTERM
THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",  # macOS
)
MOST = 61  # processes at a time: Windows cannot wait for more
PATIENCE = 10  # seconds, with a scheduler that does not answer


def run_all(work, tasks, *, jobs=None, scheduler=None):
    """Call ``work(tell, *arguments)`` for every key of ``tasks``, in order; yield what happens.

    That is ("told", key, message) for each ``tell(message)`` inside the work, and at last, once for
    every key, ("done", key, value) or ("failed", key, exception). A task whose process died is
    repeated after all others, alone, and tells again what it told before; if it dies again, it has
    failed, with ChildProcessError.

    work : a function that can be imported from a module
    tasks : {key: arguments}; arguments, messages and values are plain data
    jobs : how many at a time, each in a process with one thread; None is one a processor
    scheduler : "tcp://host:port" of a Dask scheduler, whose workers are used instead of processes
        here. They need this package in the same version, and are best started with ``dask worker
        tcp://host:port --nworkers auto --nthreads 1``: Dask then sets OPENBLAS_NUM_THREADS=1, if
        it is not set. Dask itself repeats a task that died, at first. Raises ImportError,
        ValueError or ConnectionError if there is no Dask, no such address or no such scheduler
    """
    with nullcontext() if scheduler is None else _client(scheduler) as client:
        if client:
            attempt = partial(_on_cluster, client, work)
        else:
            attempt = partial(_in_processes, min(jobs or os.cpu_count() or 1, MOST), work)
        for key in (yield from attempt(tasks)):
            died = yield from attempt({key: tasks[key]})
            if died:
                message = f"its process died twice, the second time alone ({died[key]})"
                yield "failed", key, ChildProcessError(message)


def _in_processes(jobs, work, tasks):
    """Give each task a process of its own, ``jobs`` at a time -> {key: how it died}

    Nothing is shared, so that one that dies, at whatever moment, takes nothing with it.
    """
    context = multiprocessing.get_context("spawn")
    waiting, running, ended, died = list(tasks), {}, set(), {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                key = waiting.pop(0)
                inlet, outlet = context.Pipe(duplex=False)
                arguments = outlet, work, tasks[key]
                process = context.Process(target=_in_process, args=arguments, daemon=True)
                with _interrupts_held(), _one_thread(), outlet:
                    process.start()
                    running[inlet] = key, process
            for inlet in connection.wait(running):
                key, process = running[inlet]
                try:
                    kind, payload = inlet.recv()
                except (EOFError, OSError):  # it has ended, perhaps in the middle of a message
                    del running[inlet]
                    process.join()
                    if key not in ended:
                        died[key] = f"exit code {process.exitcode}"
                else:
                    if kind != "told":
                        ended.add(key)
                    yield kind, key, payload
    finally:
        for _, process in running.values():
            process.kill()
            process.join()
    return died


def _in_process(outlet, work, arguments):
    for number in INTERRUPTS:  # an interrupted worker ends in silence: its parent speaks
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
    try:
        outlet.send(("done", work(lambda message: outlet.send(("told", message)), *arguments)))
    except Exception as error:
        outlet.send(("failed", _that_travels(error)))


def _that_travels(error):
    """The error, or its text if it cannot be taken apart here and put together elsewhere"""
    try:
        return ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")


@contextmanager
def _interrupts_held():
    """Hold interrupts back from here, and from a process that starts now until it is ready."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # spawn's own helper: to start it lets interrupts through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread():
    """Let NumPy use one thread in a process that starts now."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _client(scheduler):
    try:
        from distributed import Client
    except ImportError as error:
        message = "scheduler: expected Dask; it comes with pip install 'seq2seq-lib[cluster]'"
        raise ImportError(message) from error
    for name in ("distributed.client", "distributed.batched"):  # what matters of it is raised
        logging.getLogger(name).setLevel(logging.CRITICAL)
    found = re.fullmatch(r"tcp://\[?([^\s/\[\]]+)\]?:(\d{1,5})", scheduler)
    if not found or int(found[2]) > 65535:
        example = "tcp://127.0.0.1:8786"
        raise ValueError(f"scheduler: expected an address such as {example}, got {scheduler!a}")
    try:
        with socket.create_connection((found[1], int(found[2])), PATIENCE) as greeting:
            greeting.recv(1)  # Dask's client would wait for ever for who does not speak
        return Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, UnicodeError) as error:
        raise ConnectionError(f"scheduler: nobody answers at {scheduler}: {error}") from error


def _on_cluster(client, work, tasks):
    """Let Dask's workers do the tasks -> {key: how it died}; Dask itself repeats them at first"""
    from distributed import KilledWorker

    keys, futures, died = list(tasks), {}, {}
    happened, topic = queue.SimpleQueue(), f"told-{uuid.uuid4()}"
    client.subscribe_topic(topic, lambda event: happened.put(event[1]))
    for number, key in enumerate(keys):
        arguments = topic, number, work, tasks[key]
        future = futures[number] = client.submit(_on_worker, *arguments, pure=False)
        future.add_done_callback(lambda _, number=number: happened.put((number, "ended", None)))
    while futures:
        try:
            number, kind, payload = happened.get(timeout=0.2)  # Windows interrupts only short waits
        except queue.Empty:
            continue
        if number not in futures:
            continue  # told by a task that Dask repeated because its value was lost on the way
        if kind == "ended":
            future = futures.pop(number)
            try:
                kind, payload = "done", future.result()
            except KilledWorker as error:
                died[keys[number]] = f"{error.allowed_failures + 1} Dask workers lost"
                continue
            except Exception as error:
                if future.status != "error":  # not the work's
                    raise ConnectionError("scheduler: the connection was lost") from error
                kind, payload = "failed", error
        yield kind, keys[number], payload
    return died


def _on_worker(topic, number, work, arguments):
    from distributed import get_worker

    log = partial(get_worker().log_event, topic)
    return work(lambda message: log((number, "told", message)), *arguments)
