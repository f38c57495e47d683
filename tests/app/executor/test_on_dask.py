import os
import signal
import threading
import time

import psutil
import pytest

from hard_tasks import act, double
from lesionary.annotate.prompts import parse_box
from lesionary.app.executor import ClusterOptions, Failure, InlineExecutor, Limits, executor_for
from lesionary.app.executor.flight import TOGETHER

N_WORKERS = 2


@pytest.fixture(scope="module")
def local():
    with executor_for(ClusterOptions("local", workers=N_WORKERS)) as executor:
        yield executor


@pytest.fixture(scope="module")
def limited():
    options = ClusterOptions(
        "local", workers=N_WORKERS, timeout_s=2.0, memory_limit_bytes=300 * 2**20, gpus=1
    )
    with executor_for(options) as executor:
        yield executor


def outcomes(executor, requests, task=act, **more):
    return dict(executor.run(task, requests, **more))


def doubles(n):
    return [("double", number) for number in range(n)]


def test_workers_give_the_same_as_this_process(local):
    requests = ["1,2,3,4,5,6", "0,9,0,9,3,3", "0,1,0,1,0,1"]  # the second box is empty
    inline = dict(InlineExecutor().run(parse_box, requests))
    remote = outcomes(local, requests, parse_box)
    assert remote == inline
    assert isinstance(remote[1], Failure)


def test_requests_are_pulled_as_there_is_room(local):
    pulled, ended, furthest = 0, 0, 0

    def requests():
        nonlocal pulled
        for number in range(2000):
            pulled += 1
            yield number

    for position, outcome in local.run(double, requests()):
        ended += 1
        furthest = max(furthest, pulled - ended)
        assert outcome == 2 * position
    assert ended == 2000
    assert furthest <= 4 * TOGETHER * N_WORKERS


def test_a_run_that_is_given_up_leaves_the_workers_free(local):
    run = local.run(double, iter(range(1_000_000)))
    assert next(run)[1] % 2 == 0
    run.close()
    assert outcomes(local, doubles(3)) == {0: 0, 1: 2, 2: 4}


def test_a_worker_killed_from_outside_costs_one_retry(local, tmp_path):
    path = tmp_path / "pid"

    def kill_when_told():
        while not path.exists():
            time.sleep(0.02)
        os.kill(int(path.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill_when_told)
    killer.start()
    found = outcomes(local, [*doubles(4), ("sleep_once", str(path)), *doubles(4)])
    killer.join()
    assert [found[n] for n in (0, 1, 2, 3, 5, 6, 7, 8)] == [0, 2, 4, 6, 0, 2, 4, 6]
    assert isinstance(found[4], int)


def test_killers_fail_alone_and_their_neighbours_do_not(local):
    killers = {3: ("kill", None), 4: ("crash", None), 11: ("hard_exit", 3)}
    requests = [killers.get(n, ("double", n)) for n in range(16)]
    found = outcomes(local, requests)
    assert {n: found[n] for n in range(16) if n not in killers} == {
        n: 2 * n for n in range(16) if n not in killers
    }
    assert {found[n].code for n in killers} == {"worker_lost"}


def test_the_reason_is_the_same_wherever_and_however_often_a_killer_was_tried(local):
    cared_for = outcomes(local, [("kill", None), ("kill", None)])
    with executor_for(ClusterOptions("local", workers=1, retries=0)) as executor:
        tried_once = outcomes(executor, [("kill", None)])
    here = dict(InlineExecutor(Limits(timeout_s=60), retries=2).run(act, [("kill", None)]))
    reasons = {one.reason for found in (cared_for, tried_once, here) for one in found.values()}
    assert len(reasons) == 1


def test_an_interrupt_that_a_task_raises_is_a_fault_of_ours_and_takes_no_worker_down(capfd):
    with executor_for(ClusterOptions("local", workers=1)) as executor:
        found = outcomes(executor, [("pid", None), ("raise", KeyboardInterrupt), ("pid", None)])
    assert found[1].code == "bug"
    assert found[0] == found[2]
    assert capfd.readouterr() == ("", "")


def test_a_first_killer_takes_down_a_worker_and_nobody_else():
    with executor_for(ClusterOptions("local", workers=N_WORKERS, retries=0)) as executor:
        found = outcomes(executor, [("kill", None) if n == 2 else ("double", n) for n in range(12)])
    assert found.pop(2).code == "worker_lost"
    assert found == {n: 2 * n for n in range(12) if n != 2}


def test_limits_are_the_same_as_in_this_process(limited):
    requests = [("fill", 500), ("double", 1), ("sleep", 60), ("double", 2), ("fork", os.devnull)]
    found = outcomes(limited, requests[:4])
    assert (found[0].code, found[1], found[2].code, found[3]) == ("memory", 2, "timeout", 4)


def test_whatever_a_task_does_is_an_outcome(local):
    odd = [("exit", 4), ("unpicklable_error", None), ("unpicklable", None), ("chatter", 7)]
    found = outcomes(local, [*odd, ("raise", KeyboardInterrupt), *doubles(2)])
    assert [found[n].code for n in (0, 1, 2, 4)] == ["bug"] * 4
    assert (found[3], found[5], found[6]) == (7, 0, 2)


def test_workers_are_given_one_thread_a_library_and_no_key(local):
    (environment,) = outcomes(local, [("environment", None)]).values()
    assert environment["OPENBLAS_NUM_THREADS"] == environment["NUMBA_NUM_THREADS"] == "1"
    assert not environment.get("LESIONARY_VAULT")


def test_workers_may_start_processes_of_their_own(limited, local):
    assert outcomes(local, [("pool", 4)]) == {0: 8}


def test_units_that_need_a_gpu_go_where_one_is_offered(limited):
    found = outcomes(limited, [("environment", None)] * 3, resources={"GPU": 1})
    assert [one["CUDA_VISIBLE_DEVICES"] for one in found.values()] == ["0"] * 3


def test_a_label_that_no_worker_offers_is_said_at_once(local):
    found = outcomes(local, doubles(3), resources={"GPU": 1})
    assert {(one.code, one.reason) for one in found.values()} == {
        ("no_resource", "no worker offers GPU=1")
    }
    assert all(one.hint for one in found.values())


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(os.environ)
    mine = psutil.Process()
    others = set(mine.children(recursive=True))
    with executor_for(ClusterOptions("local", workers=1, timeout_s=30)) as executor:
        assert outcomes(executor, doubles(2)) == {0: 0, 1: 2}
        started = set(mine.children(recursive=True)) - others
        assert started
    _, alive = psutil.wait_procs(started, timeout=10)
    assert [one for one in alive if "resource_tracker" not in " ".join(one.cmdline())] == []
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []
