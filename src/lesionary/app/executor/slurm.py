"""Workers in a SLURM queue, one job each, by dask-jobqueue.

A site's queue, account, wall time and the like come from where Dask's users keep them: the section
``jobqueue.slurm`` of Dask's configuration, or ``DASK_JOBQUEUE__SLURM__…`` in the environment.
"""

import ipaddress
import logging
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lesionary.app.executor.environment import NOT_FOR_WORKERS, ONE_THREAD, PREFIX
from lesionary.app.executor.interrupts import handlers_kept, interrupt_held
from lesionary.app.executor.options import ClusterOptions
from lesionary.core.errors import PluginUnavailableError, WorkflowError

NOWHERE = "127.0.0.1:0"
"""Where Dask's web servers listen, which start even where no dashboard is asked for."""

_MEMORY_BYTES = 4 * 1024**3
_OWN_BYTES = 512 * 1024**2
"""What a worker needs beside a case at its limit, so that our limit is met before SLURM's."""
_SCRATCH = "${TMPDIR:-/tmp}"
_DASK_ON_WORKERS = {
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    "DASK_LOGGING__DISTRIBUTED": "error",
}
_INSTALL = "pip install 'lesionary[hpc]'"


@contextmanager
def slurm_cluster(options: ClusterOptions) -> Iterator[Any]:
    """Keep as many jobs in the queue as the options say; cancel them at the end.

    A job that ends early, by its wall time or its node, is followed by another.

    Raises
    ------
    PluginUnavailableError
        Where dask-jobqueue, or what encrypts for it, is not installed.
    WorkflowError
        Code ``cluster_unreachable`` where there is no SLURM here, SLURM would refuse the job, or
        this machine has no private address to listen on.
    """
    cluster_class = _cluster_class()
    if shutil.which("sbatch") is None:
        raise _unreachable("there is no `sbatch` here", "run on a node that may submit jobs")
    arguments = cluster_arguments(options, _listening_address())
    with ExitStack() as stack:
        with interrupt_held():
            cluster = stack.enter_context(cluster_class(**arguments))
        _require_accepted(cluster.job_script())
        cluster.adapt(minimum_jobs=options.workers, maximum_jobs=options.workers)
        yield cluster


def cluster_arguments(options: ClusterOptions, host: str) -> dict[str, Any]:
    """Return what SLURMCluster is made with: one core and one process a job, no dashboard.

    Parameters
    ----------
    options : ClusterOptions
    host : str
        The address to listen on. Off loopback everything is encrypted.
    """
    import dask

    is_loopback = ipaddress.ip_address(host).is_loopback
    limit = options.memory_limit_bytes
    arguments: dict[str, Any] = {
        "cores": 1,
        "processes": 1,
        "memory": _MEMORY_BYTES if limit is None else limit + _OWN_BYTES,
        "python": shlex.quote(sys.executable),
        "silence_logs": logging.CRITICAL,
        "scheduler_options": {
            "dashboard": False,
            "dashboard_address": NOWHERE,
            "host": host,
            **_site("scheduler-options", {}),
        },
        "local_directory": _site("local-directory") or _SCRATCH,
        "job_script_prologue": [*_site("job-script-prologue", []), *_prologue()],
        "worker_extra_args": [
            *_site("worker-extra-args", []),
            "--no-dashboard",
            *("--dashboard-address", NOWHERE),
            *(["--resources", "GPU=1"] if options.gpus else []),
            *(["--host", host] if is_loopback else []),
        ],
        "job_extra_directives": [
            *_site("job-extra-directives", []),
            *(["--gres=gpu:1"] if options.gpus else []),
            *([] if _site("log-directory") else ["--output=/dev/null"]),
        ],
    }
    if not is_loopback:
        is_configured = dask.config.get("distributed.comm.tls.ca-file", None)
        arguments["security"] = _site_security() if is_configured else _temporary_security()
        arguments["protocol"] = "tls://"
        arguments["shared_temp_directory"] = _site("shared-temp-directory") or _shared_folder()
    return arguments


def _prologue() -> list[str]:
    """Return the shell lines that give a job our variables, and take away what is not for it."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(PREFIX) and name not in NOT_FOR_WORKERS
    }
    given = {**ours, **ONE_THREAD, **_DASK_ON_WORKERS}
    exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(given.items())]
    return [f"unset {' '.join(NOT_FOR_WORKERS)}", *exports]


def _site(name: str, default: Any = None) -> Any:
    import dask

    value = dask.config.get(f"jobqueue.slurm.{name}", default)
    return default if value is None else value


def _listening_address() -> str:
    """Return the address of the site's interface, else the private one of this machine's name."""
    from distributed.utils import get_ip_interface

    interface = _site("interface")
    try:
        found = (
            get_ip_interface(interface) if interface else socket.gethostbyname(socket.gethostname())
        )
    except (OSError, ValueError):
        found = ""
    if not found or not (interface or ipaddress.ip_address(found).is_private):
        raise _unreachable(
            "this machine has no private address that its name leads to",
            "set jobqueue.slurm.interface in Dask's configuration to the cluster's own network",
        )
    return found


def _require_accepted(script: str) -> None:
    """Ask SLURM whether it would take the job: what refuses it later is seen by nobody."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        asked = subprocess.run(  # noqa: S603 - our own temporary file
            ["sbatch", "--test-only", file.name],  # noqa: S607 - the site's own, as on PATH
            capture_output=True,
            text=True,
            check=False,
        )
    if asked.returncode:
        why = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise _unreachable(
            f"SLURM would not take the job: {why}",
            "set jobqueue.slurm.queue, account and walltime in Dask's configuration",
        )


def _cluster_class() -> Any:
    try:
        with handlers_kept():
            from dask_jobqueue.slurm import SLURMCluster
    except ImportError:
        raise PluginUnavailableError(
            "--cluster slurm needs dask-jobqueue, which is not installed", hint=_INSTALL
        ) from None
    return SLURMCluster


def _site_security() -> Any:
    from distributed.security import Security

    return Security(require_encryption=True)


def _temporary_security() -> Any:
    from distributed.security import Security

    try:
        return Security.temporary()
    except ImportError:
        raise PluginUnavailableError(
            "workers on other machines are spoken to in private, which needs cryptography",
            hint=_INSTALL,
        ) from None


def _shared_folder() -> str:
    """Return a folder that every node sees and only its owner reads, for the workers' key."""
    folder = Path.home() / ".cache" / "lesionary" / "slurm"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return str(folder)


def _unreachable(message: str, hint: str) -> WorkflowError:
    return WorkflowError(message, code="cluster_unreachable", hint=hint)
