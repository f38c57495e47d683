"""The options that say where units run, the same for every command that runs some."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from lesionary.app.executor.options import ClusterOptions


def _where(
    cluster: str = typer.Option(
        "none",
        envvar="LESIONARY_CLUSTER",
        help="none: in this process; local: Dask workers on this machine; slurm: one job a worker; "
        "tcp://HOST:PORT or tls://HOST:PORT: a Dask scheduler that runs.",
    ),
    workers: int | None = typer.Option(
        None,
        envvar="LESIONARY_WORKERS",
        help="How many workers: one a core for local, if not said; slurm needs it.",
    ),
    timeout: float | None = typer.Option(
        None,
        envvar="LESIONARY_TIMEOUT",
        metavar="SECONDS",
        help="Stop a case that takes longer, and list it as failed.",
    ),
    memory_limit: str | None = typer.Option(
        None,
        envvar="LESIONARY_MEMORY_LIMIT",
        metavar="SIZE",
        help="Stop a case that takes more memory, such as 4GiB, and list it as failed.",
    ),
    retries: int = typer.Option(
        1,
        envvar="LESIONARY_RETRIES",
        help="How often a case is tried again whose process died.",
    ),
    gpus: int = typer.Option(
        0,
        envvar="LESIONARY_GPUS",
        help="How many units that need a GPU may run at once.",
    ),
    wait: float | None = typer.Option(
        None,
        envvar="LESIONARY_WAIT",
        metavar="SECONDS",
        help="How long to wait while the cluster has no worker; by default 600, for slurm a day.",
    ),
) -> ClusterOptions:
    return ClusterOptions.parse(
        cluster=cluster,
        workers=workers,
        timeout_s=timeout,
        memory_limit=memory_limit,
        retries=retries,
        gpus=gpus,
        wait_s=wait,
    )


def takes_cluster(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of workers in the place of its parameter ``cluster``.

    The command gets them as one :class:`ClusterOptions`. A flag counts more than its variable
    ``LESIONARY_…`` in the environment.
    """
    own = inspect.signature(command, eval_str=True)
    where = inspect.signature(_where)
    parameters: list[inspect.Parameter] = []
    for parameter in own.parameters.values():
        parameters += where.parameters.values() if parameter.name == "cluster" else [parameter]
    by_name = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]

    @wraps(command)
    def with_options(**given: Any) -> int:
        mine = {name: given.pop(name) for name in where.parameters}
        return command(cluster=_where(**mine), **given)

    with_options.__signature__ = own.replace(parameters=by_name)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in by_name} | {"return": int}
    return with_options
