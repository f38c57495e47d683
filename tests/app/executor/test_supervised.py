import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from hard_tasks import HardStop, act
from lesionary.app.executor import Failure, InlineExecutor, Limits
from lesionary.app.executor.outcome import Lost
from lesionary.app.executor.supervised import Supervisor

MIB = 1024**2
WAIT_S = 20.0


@pytest.fixture(scope="module")
def supervisor():
    with Supervisor(Limits()) as one:
        yield one


def supervised(*requests, timeout_s=None, memory_limit_bytes=None, retries=1):
    limits = Limits(timeout_s or (None if memory_limit_bytes else 60.0), memory_limit_bytes)
    return [outcome for _, outcome in InlineExecutor(limits, retries=retries).run(act, requests)]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(is_so):
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("killer", "how"),
    [
        (("kill", None), "SIGKILL"),
        (("crash", None), "SIGSEGV"),
        (("hard_exit", 3), "exit status 3"),
    ],
)
def test_a_case_that_always_kills_its_process_fails_alone(killer, how):
    before, failure, after = supervised(("double", 1), killer, ("double", 2))
    assert (before, after) == (2, 4)
    assert failure.code == "worker_lost"
    assert how in failure.reason


def test_without_retries_one_death_is_enough():
    (failure,) = supervised(("kill", None), retries=0)
    assert failure.code == "worker_lost"


def test_how_often_it_was_tried_is_no_part_of_the_reason():
    reasons = {
        outcome.reason for n in (0, 1, 2) for outcome in supervised(("kill", None), retries=n)
    }
    assert len(reasons) == 1


def test_a_case_that_takes_too_long_is_stopped_and_not_tried_again(tmp_path):
    path = str(tmp_path / "pids")
    failure, after = supervised(("fork", path), ("double", 2), timeout_s=1.0)
    assert failure.code == "timeout"
    assert "1 s" in failure.reason
    assert after == 4
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert not any(is_running(pid) for pid in pids)


def test_a_case_deep_in_compiled_code_is_stopped_too():
    failure, after = supervised(("hold", None), ("double", 2), timeout_s=0.5)
    assert failure.code == "timeout"
    assert after == 4


@pytest.mark.parametrize("hog", ["fill", "fill_in_child"])
def test_a_case_that_takes_too_much_memory_is_stopped(hog):
    failure, after = supervised((hog, 400), ("double", 2), memory_limit_bytes=200 * MIB)
    assert failure.code == "memory"
    assert "200 MiB" in failure.reason
    assert after == 4


@pytest.mark.parametrize(
    "request_",
    [
        ("raise", SystemExit(4)),
        ("exit", 4),
        ("raise", HardStop),
        ("raise", KeyboardInterrupt),
        ("unpicklable_error", None),
        ("unpicklable", None),
        ("raise", ZeroDivisionError("values")),
    ],
)
def test_whatever_a_task_raises_or_returns_is_an_outcome(supervisor, request_):
    pid = supervisor.run(act, ("pid", None))
    failure = supervisor.run(act, request_)
    assert failure.code == "bug"
    assert "values" not in repr(failure)
    assert supervisor.run(act, ("pid", None)) == pid


def test_a_refusal_keeps_its_code_and_hint(supervisor):
    failure = supervisor.run(act, ("refuse", None))
    assert failure == Failure("unlucky", "thirteen is refused", "take another")


def test_memory_that_ran_out_is_said_so(supervisor):
    assert supervisor.run(act, ("raise", MemoryError)).code == "memory"


def test_what_a_task_prints_does_not_break_its_answer(supervisor):
    assert supervisor.run(act, ("chatter", 7)) == 7


def test_large_requests_and_receipts_pass(supervisor):
    assert supervisor.run(act, ("big", 5 * MIB)) == b"x" * 5 * MIB
    assert supervisor.run(len, b"x" * 5 * MIB) == 5 * MIB


def test_requests_and_tasks_that_cannot_travel_are_faults_of_ours(supervisor):
    assert supervisor.run(act, ("double", lambda: None)).code == "bug"
    assert supervisor.run(lambda number: number, 1).code == "bug"


def test_a_task_may_start_processes_of_its_own(supervisor):
    assert supervisor.run(act, ("pool", 4)) == 8


def test_the_child_is_given_one_thread_a_library_and_no_key(monkeypatch):
    monkeypatch.setenv("LESIONARY_VAULT", "/a/vault")
    monkeypatch.setenv("LESIONARY_REGISTRY_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("LESIONARY_OTHER", "kept")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with Supervisor(Limits()) as one:
        environment = one.run(act, ("environment", None))
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["LESIONARY_OTHER"] == "kept"
    assert not {"LESIONARY_VAULT", "LESIONARY_REGISTRY_URL"} & environment.keys()


def test_a_child_killed_between_units_costs_nothing():
    with Supervisor(Limits()) as one:
        pid = one.run(act, ("pid", None))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_running(pid))
        assert isinstance(one.run(act, ("pid", None)), int)


def test_a_child_killed_in_the_middle_is_lost_and_tried_again(tmp_path):
    def kill_when_told():
        wait_until((tmp_path / "pid").exists)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    from threading import Thread

    killer = Thread(target=kill_when_told)
    killer.start()
    (pid,) = supervised(("sleep_once", str(tmp_path / "pid")))
    killer.join()
    assert isinstance(pid, int)


def test_nothing_is_left_behind():
    with Supervisor(Limits()) as one:
        pid = one.run(act, ("pid", None))
        children = psutil.Process(pid).children(recursive=True)
        assert is_running(pid)
    assert not any(is_running(number) for number in [pid, *(child.pid for child in children)])


def test_swollen_children_do_not_count_against_the_next_case():
    with Supervisor(Limits(memory_limit_bytes=300 * MIB)) as one:
        first = one.run(act, ("pid", None))
        one.run(act, ("keep", 200))
        assert one.run(act, ("pid", None)) != first


DRIVER = """
    import sys
    sys.path[:0] = {path!r}
    from hard_tasks import act
    from lesionary.app.executor import Limits
    from lesionary.app.executor.supervised import Supervisor
    with Supervisor(Limits()) as one:
        print(one.run(act, ({action!r}, {argument!r})))
"""


@pytest.mark.parametrize("action", ["fork", "hold"])
def test_children_die_with_a_killed_parent(tmp_path, action):
    path = tmp_path / "pids"
    code = textwrap.dedent(DRIVER).format(path=sys.path, action=action, argument=str(path))
    with subprocess.Popen([sys.executable, "-c", code]) as driver:
        if action == "fork":
            wait_until(path.exists)
        else:
            wait_until(lambda: len(psutil.Process(driver.pid).children(recursive=True)) > 1)
            time.sleep(1)
        family = psutil.Process(driver.pid).children(recursive=True)
        driver.kill()
    assert len(family) >= 2
    wait_until(lambda: not any(is_running(process.pid) for process in family))


def test_losses_are_told_apart_from_failures():
    with Supervisor(Limits()) as one:
        assert isinstance(one.run(act, ("kill", None)), Lost)
