"""Opens the executor that the options name, and closes it at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from lesionary.app.executor.inline import InlineExecutor
from lesionary.app.executor.options import NONE, ClusterOptions
from lesionary.app.executor.outcome import Executor


@contextmanager
def executor_for(options: ClusterOptions | str = NONE) -> Iterator[Executor]:
    """Open the executor that ``--cluster`` names, and close it at the end.

    Parameters
    ----------
    options : ClusterOptions or str
        A text alone names the cluster and leaves all else as it is by default.

    Raises
    ------
    InputError
        Code ``usage`` for a cluster that there is not.
    WorkflowError
        Code ``cluster_unreachable`` where no scheduler answers at the address.
    PluginUnavailableError
        Where ``slurm`` is asked for and dask-jobqueue is not installed.
    """
    if isinstance(options, str):
        options = ClusterOptions(options)
    if options.cluster == NONE:
        offers = {"GPU": options.gpus}
        yield InlineExecutor(options.limits, retries=options.retries, offers=offers)
        return
    from lesionary.app.executor.clusters import connected
    from lesionary.app.executor.on_dask import DaskExecutor

    with connected(options) as client:
        yield DaskExecutor(client, options)
