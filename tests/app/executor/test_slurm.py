import contextlib
import subprocess
import sys

import pytest

from lesionary.app.executor import ClusterOptions, executor_for
from lesionary.app.executor.interrupts import handlers_kept
from lesionary.app.executor.slurm import cluster_arguments
from lesionary.core.errors import PluginUnavailableError, WorkflowError

with handlers_kept():
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")


@pytest.fixture
def script_of(tmp_path, monkeypatch):
    """Return ``script_of(host=…, **options)``: the job that SLURM would be given."""
    import dask
    import distributed  # noqa: F401
    from dask_jobqueue.slurm import SLURMJob

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LESIONARY_VAULT", "/a/vault")
    monkeypatch.setenv("LESIONARY_REGISTRY_URL", "postgresql://u:secret@h/d")
    monkeypatch.setenv("LESIONARY_CACHE", "a folder's name")

    def script(host="127.0.0.1", site=(), **options):
        with dask.config.set({f"jobqueue.slurm.{name}": value for name, value in site}):
            given = cluster_arguments(ClusterOptions("slurm", workers=3, **options), host)
            for name in ("silence_logs", "scheduler_options", "shared_temp_directory"):
                given.pop(name, None)
            return SLURMJob("tcp://127.0.0.1:8786", name="one", **given).job_script()

    return script


def test_a_job_is_one_core_and_one_process_of_this_python(script_of):
    script = script_of()
    assert "#SBATCH -n 1\n" in script
    assert "--cpus-per-task=1\n" in script
    assert "#SBATCH --mem=4G\n" in script
    assert f"{sys.executable} -m distributed.cli.dask_worker tcp://127.0.0.1:8786" in script
    assert "--nthreads 1" in script
    assert "--nanny" in script
    assert "--no-dashboard" in script


def test_a_job_has_room_for_a_case_at_its_limit(script_of):
    assert "#SBATCH --mem=9G\n" in script_of(memory_limit_bytes=8 * 2**30)


def test_a_job_carries_our_variables_and_no_secret(script_of):
    script = script_of()
    (unset,) = [line.split()[1:] for line in script.splitlines() if line.startswith("unset ")]
    assert set(unset) >= {"LESIONARY_VAULT", "LESIONARY_VAULT_KEY", "LESIONARY_VAULT_URL"}
    assert "LESIONARY_REGISTRY_URL" in unset
    assert "/a/vault" not in script
    assert "secret" not in script
    exports = script.partition("unset ")[2].partition("\n")[2]
    exports = exports[: exports.index(sys.executable)]
    shown = subprocess.run(
        ["bash", "-c", f"{exports}\nenv"], capture_output=True, text=True, check=True, env={}
    ).stdout.splitlines()
    assert "LESIONARY_CACHE=a folder's name" in shown
    assert "OPENBLAS_NUM_THREADS=1" in shown
    assert "DASK_DISTRIBUTED__WORKER__DAEMON=False" in shown


def test_gpus_are_asked_of_slurm_and_offered_to_units(script_of):
    assert "--gres" not in script_of()
    script = script_of(gpus=3)
    assert "#SBATCH --gres=gpu:1\n" in script
    assert "--resources GPU=1" in script


def test_a_sites_own_settings_are_kept(script_of):
    script = script_of(
        site=[
            ("queue", "long"),
            ("walltime", "12:00:00"),
            ("job-extra-directives", ["--constraint=fast"]),
            ("job-script-prologue", ["module load python"]),
            ("local-directory", "/scratch"),
        ]
    )
    for line in ("-p long", "-t 12:00:00", "--constraint=fast"):
        assert f"#SBATCH {line}\n" in script
    assert "module load python\n" in script
    assert "--local-directory /scratch" in script


def test_loopback_is_plain_and_anything_else_is_encrypted(script_of):
    pytest.importorskip("cryptography")
    assert "tls" not in script_of()
    assert "--host 127.0.0.1" in script_of()
    assert "--protocol tls://" in script_of(host="10.0.0.1")


def test_without_dask_jobqueue_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue.slurm", None)
    with pytest.raises(PluginUnavailableError) as caught:
        open_one()
    assert caught.value.hint == "pip install 'lesionary[hpc]'"


def test_without_slurm_the_error_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(WorkflowError) as caught:
        open_one()
    assert caught.value.code == "cluster_unreachable"
    assert "sbatch" in caught.value.message


def test_a_job_that_slurm_would_refuse_is_an_error_at_once(tmp_path, monkeypatch):
    fake = tmp_path / "sbatch"
    fake.write_text("#!/bin/sh\necho 'sbatch: error: invalid partition' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    import dask

    site = dask.config.set({"jobqueue.slurm.interface": "lo"})
    with site, pytest.raises(WorkflowError) as caught:
        open_one()
    assert caught.value.code == "cluster_unreachable"
    assert "invalid partition" in caught.value.message


def open_one():
    with contextlib.ExitStack() as stack:
        stack.enter_context(executor_for(ClusterOptions("slurm", workers=1)))
