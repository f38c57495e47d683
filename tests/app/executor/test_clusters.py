import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress

import psutil
import pytest

from hard_tasks import act, double
from lesionary.app.executor import ClusterOptions, executor_for
from lesionary.app.executor.clusters import worker_options
from lesionary.core.errors import WorkflowError

WAIT_S = 20.0


class Others:
    """A Dask cluster that somebody else started."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.address = ""

    def open(self):
        self.scheduler = self.start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(self.folder / "scheduler.json"),
        )  # fmt: skip
        wait_until(self.is_up)

    def is_up(self):
        with suppress(OSError, ValueError):
            self.address = json.loads((self.folder / "scheduler.json").read_text())["address"]
        return self.address

    def start(self, name, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{name}", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.processes.append(process)
        return process

    def start_worker(self, *arguments):
        return self.start(
            "dask_worker", self.address, "--no-nanny", "--nthreads", "2", "--no-dashboard",
            "--host", "127.0.0.1", *arguments,
        )  # fmt: skip

    def await_worker(self):
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=WAIT_S)

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def others(tmp_path):
    cluster = Others(tmp_path)
    try:
        cluster.open()
        yield cluster
    finally:
        cluster.stop()


def wait_until(is_so):
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


def options(cluster, **more):
    return ClusterOptions(cluster.address, **more)


def test_an_address_where_nobody_answers_is_an_error_with_a_hint(monkeypatch):
    monkeypatch.setattr("lesionary.app.executor.clusters._CONNECT_S", 1.0)
    with pytest.raises(WorkflowError) as caught, executor_for("tcp://127.0.0.1:9"):
        pass
    assert caught.value.code == "cluster_unreachable"
    assert "dask scheduler" in caught.value.hint


def test_encryption_without_certificates_is_an_error_with_a_hint(others):
    address = others.address.replace("tcp", "tls")
    with pytest.raises(WorkflowError) as caught, executor_for(address):
        pass
    assert caught.value.code == "cluster_unreachable"
    assert "distributed.comm.tls" in caught.value.hint


def test_killers_harm_nobody_on_a_cluster_of_others(others):
    worker = others.start_worker()
    with executor_for(options(others)) as executor:
        requests = [("kill", None) if n == 2 else ("double", n) for n in range(8)]
        found = dict(executor.run(act, requests))
        assert found.pop(2).code == "worker_lost"
        assert found == {n: 2 * n for n in range(8) if n != 2}
        labelled = dict(executor.run(double, [1], resources={"GPU": 1}))
        assert labelled[0].code == "no_resource"
    assert worker.poll() is None
    assert others.scheduler.poll() is None


def test_workers_that_come_late_are_waited_for(others):
    starter = threading.Timer(1.0, others.start_worker, ["--resources", "GPU=1"])
    starter.start()
    with executor_for(options(others)) as executor:
        assert dict(executor.run(double, [1, 2], resources={"GPU": 1})) == {0: 2, 1: 4}
    starter.join()


def test_workers_that_never_come_are_not_waited_for_for_ever(others):
    with executor_for(options(others, wait_s=0.5)) as executor:
        run = executor.run(double, iter(range(10**9)))
        with pytest.raises(WorkflowError, match=r"no worker for 0\.5 s") as caught:
            next(run)
    assert caught.value.code == "cluster_lost"
    assert "again" in caught.value.hint


@pytest.mark.parametrize("dies", ["worker", "scheduler"])
def test_a_cluster_that_goes_away_fails_what_it_had_and_ends_the_run(others, tmp_path, dies):
    worker = others.start_worker()
    others.await_worker()
    told = tmp_path / "pid"

    def kill_when_told():
        wait_until(told.exists)
        (worker if dies == "worker" else others.scheduler).send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill_when_told)
    killer.start()
    ended = []
    requests = [("double", 1), ("sleep_once", str(told)), ("sleep", 30), ("sleep", 30)]
    with (
        executor_for(options(others, wait_s=1.0)) as executor,
        pytest.raises(WorkflowError) as caught,
    ):
        ended.extend(executor.run(act, requests))
    killer.join()
    assert caught.value.code == "cluster_lost"
    found = dict(ended)
    assert found[0] == 2 or found[0].code == "cluster_lost"  # if its result was still there
    assert {found[n].code for n in (1, 2, 3)} == {"cluster_lost"}


@pytest.mark.parametrize(
    ("given", "seen", "offers"),
    [
        ({}, "", [{}] * 4),
        ({"gpus": 1}, "", [{"0": 1}, {}, {}, {}]),
        ({"gpus": 2, "workers": 3}, "5, 7", [{"5": 1}, {"7": 1}, {}]),
        ({"gpus": 6}, "", [{str(n): 1} for n in range(6)]),
        ({"gpus": 6, "workers": 1}, "", [{"0": 1}]),
    ],
)
def test_each_gpu_goes_to_one_worker(monkeypatch, given, seen, offers):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    workers = worker_options(ClusterOptions("local", **given), "folder", 4)
    assert [
        {one["env"]["CUDA_VISIBLE_DEVICES"]: one["resources"]["GPU"]} if "env" in one else {}
        for one in workers
    ] == offers
    assert {one["host"] for one in workers} == {"127.0.0.1"}


DRIVER = """
    import sys
    sys.path[:0] = {path!r}
    from hard_tasks import act
    from lesionary.app.executor import ClusterOptions, executor_for

    def main():
        with executor_for(ClusterOptions("local", workers=1, timeout_s=60)) as executor:
            for number, pid in executor.run(act, [("fork", {told!r})]):
                pass

    if __name__ == "__main__":
        main()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_driver(tmp_path, how):
    told = tmp_path / "pids"
    script = tmp_path / "driver.py"
    script.write_text(textwrap.dedent(DRIVER).format(path=sys.path, told=str(told)))
    with subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as driver:
        wait_until(told.exists)
        family = psutil.Process(driver.pid).children(recursive=True)
        if how == signal.SIGINT:
            os.killpg(driver.pid, how)  # as a terminal does it
        else:
            driver.kill()
        _, said = driver.communicate(timeout=WAIT_S)
    assert len(family) >= 4
    _, alive = psutil.wait_procs(family, timeout=WAIT_S)
    assert alive == []
    if how == signal.SIGINT:
        assert said.count("Traceback") <= 1, said
        assert "KeyboardInterrupt" in said
