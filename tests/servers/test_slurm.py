"""A SLURM of our own: takes jobs, stays on loopback, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from servers.processes import ServerError, marked, wait_until
from servers.slurm import NODE, RENAMED, SlurmCluster, can_rename

TESTS = Path(__file__).parents[1]
LISTENERS = """
import sys
from servers.slurm import SlurmCluster
from servers.test_slurm import listening
with SlurmCluster() as cluster:
    assert cluster.command("srun", "true") == ""
    print(*sorted(listening(cluster)))
"""


def listening(cluster: SlurmCluster) -> set[str]:
    """Return every address on which a process of this SLURM, or of its jobs, takes connections."""
    return {
        one.laddr.ip
        for pid in cluster.pids
        if psutil.pid_exists(pid)
        for one in psutil.Process(pid).net_connections("inet")
        if one.status == psutil.CONN_LISTEN
    }


@pytest.fixture
def submit(slurm):
    """Return what submits a shell command as a job; cancel whatever is left."""

    def sbatch(command: str, *options: str) -> int:
        told = ("--parsable", f"--output={slurm.folder}/job-%j", *options)
        return int(slurm.command("sbatch", *told, "--wrap", command))

    yield sbatch
    slurm.cancel_all()


def test_a_job_runs_and_its_output_is_found(slurm, submit):
    number = submit("echo $SLURM_JOB_ID on $SLURMD_NODENAME")
    assert wait_until(lambda: number in slurm.jobs("completed"), timeout_s=30)
    assert (slurm.folder / f"job-{number}").read_text() == f"{number} on {NODE}\n"


def test_a_step_of_several_tasks_runs_on_both_processors(slurm):
    out = slurm.command("srun", "--ntasks=2", "sh", "-c", "echo $SLURM_PROCID")
    assert sorted(out.split()) == ["0", "1"]


def test_a_job_that_fails_is_an_error(slurm):
    with pytest.raises(ServerError, match=r"srun false failed: .*exit code 1"):
        slurm.command("srun", "false")


def test_a_cancelled_job_ends_and_the_node_takes_the_next(slurm, submit):
    numbers = [submit("sleep 300") for _ in range(3)]
    assert wait_until(lambda: len(slurm.jobs("running")) == 2, timeout_s=30)
    assert slurm.jobs("pending") == numbers[2:]
    slurm.command("scancel", str(numbers[0]))
    assert wait_until(lambda: slurm.jobs("running") == numbers[1:], timeout_s=30)


def test_nothing_listens_beyond_loopback(slurm, submit):
    submit("sleep 300")
    step = ["srun", "--overlap", "sleep", "300"]
    with subprocess.Popen([*slurm._host.prefix, *step], env=os.environ | slurm.environment) as srun:
        try:
            ours = {*slurm.pids, srun.pid}
            assert srun.pid in slurm.pids, "the step is not counted"
            assert wait_until(lambda: len(slurm.jobs("running")) == 2, timeout_s=30)
            assert ours <= {*slurm.pids}
            addresses = listening(slurm)
        finally:
            srun.terminate()
    assert addresses
    assert all(ip_address(address).is_loopback for address in addresses)


def test_a_machine_with_a_name_of_the_outside_world_still_listens_on_loopback_only(slurm):
    elsewhere = (*RENAMED[:-2], 'hostname elsewhere.example && exec "$@"', "sh")
    if not can_rename():
        pytest.skip("no right to give this machine another name")
    found = subprocess.run(
        [*elsewhere, sys.executable, "-c", LISTENERS],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (found.stdout.split(), found.returncode) == (["127.0.0.1"], 0), found.stderr


def test_a_slurm_that_does_not_come_up_shows_its_logs(slurm, monkeypatch):
    monkeypatch.setattr("servers.slurm.CONFIGURATION", "ClusterName=tests\nNonsense=yes\n")
    with pytest.raises(ServerError, match="Nonsense"), SlurmCluster() as broken:
        pytest.fail(f"came up: {broken.logs()}")


def test_killed_tests_leave_no_process_and_no_folder(slurm):
    script = (
        "import sys; from servers.slurm import SlurmCluster; cluster = SlurmCluster();"
        "cluster.start(); cluster.command('sbatch', '--output=/dev/null', '--wrap', 'sleep 300');"
        "print(cluster.folder, flush=True); sys.stdin.read()"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    with tests:
        folder = Path(tests.stdout.readline().strip())
        names = {"munged", "slurmctld", "slurmd", "sleep"}
        is_complete = wait_until(lambda: names <= {p.name() for p in marked(folder)}, timeout_s=30)
        os.killpg(tests.pid, signal.SIGKILL)
    assert is_complete
    assert wait_until(lambda: not folder.exists(), timeout_s=30)
    assert not marked(folder)
