"""Dask clusters: one of our own on this machine or in a SLURM queue, or one that runs already."""

import asyncio
import gc
import logging
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from lesionary.app.executor.environment import NOT_FOR_WORKERS, ONE_THREAD, environment_kept
from lesionary.app.executor.interrupts import interrupt_held
from lesionary.app.executor.options import LOCAL, SLURM, ClusterOptions
from lesionary.core.errors import WorkflowError
from lesionary.io.scratch import scratch_folder

LOOPBACK = "127.0.0.1"
_CONNECT_S = 8.0
_START_S = 60.0


def dask_settings(folder: str) -> dict[str, Any]:
    """Return what we ask of Dask wherever scheduler or workers are ours.

    A unit whose worker died comes back to us at once (no failures allowed), for only we know what
    to do with it; a worker gets no more units than it can run; workers may have children. What
    Dask writes to disk goes to ``folder``.
    """
    return {
        "temporary-directory": folder,
        "distributed.scheduler.allowed-failures": 0,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.work-stealing": False,
        "distributed.worker.daemon": False,
        "distributed.nanny.pre-spawn-environ": {
            **ONE_THREAD,
            "DASK_LOGGING__DISTRIBUTED": "critical",
        },
        "distributed.nanny.environ": dict.fromkeys(NOT_FOR_WORKERS, ""),
    }


@contextmanager
def connected(options: ClusterOptions) -> Iterator[Any]:
    """Open a client of the cluster that the options name; close it, and the cluster if it is ours.

    Raises
    ------
    WorkflowError
        Code ``cluster_unreachable`` where no scheduler answers.
    PluginUnavailableError
        Where dask-jobqueue is needed and not installed.
    """
    import dask
    import distributed  # noqa: F401 - adds its defaults to the configuration, which must stay

    with ExitStack() as stack:
        folder = str(stack.enter_context(scratch_folder()))
        stack.enter_context(environment_kept())
        stack.enter_context(dask.config.set(dask_settings(folder)))
        stack.enter_context(_quiet())
        if options.cluster == LOCAL:
            target: Any = stack.enter_context(_local_cluster(options, folder))
        elif options.cluster == SLURM:
            from lesionary.app.executor.slurm import slurm_cluster

            target = stack.enter_context(slurm_cluster(options))
        else:
            target = options.cluster
        yield stack.enter_context(_client(target))


def worker_options(options: ClusterOptions, folder: str, n_cores: int) -> list[dict[str, Any]]:
    """Return what each local worker is started with: one thread, and a GPU while there are any.

    Without ``workers`` there is one a core, and never fewer than GPUs. The first ``gpus`` workers
    offer label ``GPU`` and see one device each, of those that this process sees.
    """
    n_workers = options.workers or max(n_cores, options.gpus)
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    devices = [name.strip() for name in seen.split(",") if name.strip()]
    common = {
        "host": LOOPBACK,
        "nthreads": 1,
        "memory_limit": 0,
        "local_directory": folder,
        "dashboard": False,
        "silence_logs": logging.CRITICAL,
    }
    workers = []
    for number in range(n_workers):
        if number >= options.gpus:
            workers.append(common)
            continue
        device = devices[number % len(devices)] if devices else str(number)
        environment = {"CUDA_VISIBLE_DEVICES": device}
        workers.append({**common, "resources": {"GPU": 1}, "env": environment})
    return workers


@contextmanager
def _local_cluster(options: ClusterOptions, folder: str) -> Iterator[Any]:
    from dask.system import CPU_COUNT
    from distributed import Nanny, Scheduler, SpecCluster

    workers = worker_options(options, folder, CPU_COUNT)
    with ExitStack() as stack:
        with interrupt_held():
            cluster = SpecCluster(
                workers={n: {"cls": Nanny, "options": one} for n, one in enumerate(workers)},
                scheduler={"cls": Scheduler, "options": {"host": LOOPBACK, "dashboard": False}},
                silence_logs=logging.CRITICAL,
            )
            stack.enter_context(cluster)
        yield cluster


@contextmanager
def _client(target: Any) -> Iterator[Any]:
    from distributed import Client

    is_ours = not isinstance(target, str)
    if not is_ours:
        _require_scheduler(target)
    timeout_s = _START_S if is_ours else _CONNECT_S  # also what it spends on a scheduler that left
    with ExitStack() as stack:
        with interrupt_held():
            client = Client(target, timeout=timeout_s, set_as_default=False)
            stack.enter_context(client)
        yield client


def _require_scheduler(address: str) -> None:
    """Knock before a client is made: one that cannot connect leaves its event loop behind."""
    try:
        with ThreadPoolExecutor(1) as beside:  # the caller's thread may run an event loop
            beside.submit(lambda: asyncio.run(_knock(address))).result()
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise _unreachable(address, error) from None


async def _knock(address: str) -> None:
    from distributed.comm.core import connect
    from distributed.security import Security

    comm = await connect(address, timeout=_CONNECT_S, **Security().get_connection_args("client"))
    comm.abort()


def _unreachable(address: str, error: Exception) -> WorkflowError:
    if address.startswith("tls://") and not isinstance(error, OSError):
        hint = "set distributed.comm.tls in Dask's configuration: ca-file, and client cert and key"
    else:
        hint = "start `dask scheduler` there, and see that its Dask has the same version as here"
    return WorkflowError(
        f"no Dask scheduler answers at {address}", code="cluster_unreachable", hint=hint
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own messages off the user's screen: what they mean, outcomes say."""
    import distributed  # noqa: F401 - its import sets the loggers up

    names = ("asyncio", "distributed", "distributed.client", "tornado")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            yield
    finally:
        gc.collect()  # what was given up half-way complains only when it is collected
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
