"""What a user may say of the workers: how many, where, and what one case may take."""

import math
import re
from dataclasses import dataclass
from typing import Self

from lesionary.core.errors import InputError

NONE, LOCAL, SLURM = "none", "local", "slurm"
ALLOWED = "none, local, slurm, tcp://HOST:PORT or tls://HOST:PORT"
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):(\d{1,5})")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_TCP_WAIT_S = 600.0
_SLURM_WAIT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one case may take before it is stopped; None is no limit.

    Parameters
    ----------
    timeout_s : float, optional
        Seconds from the moment its task begins; loading the task's code does not count.
    memory_limit_bytes : int, optional
        Resident memory of its process and of all that this one started, the interpreter included.
    """

    timeout_s: float | None = None
    memory_limit_bytes: int | None = None

    @property
    def is_any(self) -> bool:
        """Whether there is a limit at all."""
        return self.timeout_s is not None or self.memory_limit_bytes is not None


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Where units run and within which bounds.

    Parameters
    ----------
    cluster : str
        ``none`` (this process), ``local`` (Dask workers on this machine), ``slurm`` (one job a
        worker), or the address of a running Dask scheduler, ``tcp://HOST:PORT`` or
        ``tls://HOST:PORT``.
    workers : int, optional
        How many: by default one a core for ``local``; ``slurm`` needs to be told. The others know.
    timeout_s, memory_limit_bytes : optional
        The limits of one case, the same wherever it runs: see :class:`Limits`.
    retries : int
        How often a case is tried again whose process died. A case that broke a limit or was refused
        would do so again, and is not.
    gpus : int
        How many units that ask for a GPU may run at once here: offered as label ``GPU``.
    wait_s : float, optional
        How long to wait for a worker where the cluster has none, before giving up: by default ten
        minutes, and a day in a SLURM queue.

    Raises
    ------
    InputError
        Code ``usage`` for a value that cannot be.
    """

    cluster: str = NONE
    workers: int | None = None
    timeout_s: float | None = None
    memory_limit_bytes: int | None = None
    retries: int = 1
    gpus: int = 0
    wait_s: float | None = None

    def __post_init__(self) -> None:
        _check_cluster(self.cluster)
        _at_least("--workers", self.workers, 1)
        _at_least("--retries", self.retries, 0)
        _at_least("--gpus", self.gpus, 0)
        _positive("--timeout", self.timeout_s)
        _positive("--memory-limit", self.memory_limit_bytes)
        _positive("--wait", self.wait_s)
        self._check_workers()

    @classmethod
    def parse(cls, *, memory_limit: str | None = None, **others: object) -> Self:
        """Return options from what a command line gives, where the memory limit is a text.

        Raises
        ------
        InputError
            Code ``usage`` for a value that cannot be.
        """
        size = None if memory_limit is None else parse_size(memory_limit)
        return cls(memory_limit_bytes=size, **others)  # type: ignore[arg-type]

    @property
    def limits(self) -> Limits:
        """The limits of one case."""
        return Limits(self.timeout_s, self.memory_limit_bytes)

    @property
    def is_address(self) -> bool:
        """Whether the cluster is somebody else's, named by its address."""
        return "://" in self.cluster

    @property
    def worker_wait_s(self) -> float:
        """How long to wait for a worker, in seconds."""
        if self.wait_s is not None:
            return self.wait_s
        return _SLURM_WAIT_S if self.cluster == SLURM else _TCP_WAIT_S

    def _check_workers(self) -> None:
        if self.workers is not None and (self.cluster == NONE or self.is_address):
            raise _usage(
                f"--workers says nothing where --cluster is {self.cluster}",
                "use it with --cluster local or slurm; a running cluster has the workers it has",
            )
        if self.cluster == SLURM:
            if self.workers is None:
                raise _usage("--cluster slurm needs --workers", "say how many jobs to keep running")
            if self.gpus not in (0, self.workers):
                raise _usage(
                    f"{self.gpus} GPUs do not fit {self.workers} jobs",
                    "on SLURM every job is one worker with one GPU or none: "
                    "--gpus is 0 or the same as --workers",
                )
        if self.is_address and self.gpus:
            raise _usage(
                "--gpus says nothing of a running cluster",
                'start its GPU workers with `dask worker … --resources "GPU=1"`',
            )


def parse_size(text: str) -> int:
    """Return the bytes that a size such as ``512MiB``, ``4G``, ``1.5 GiB`` or ``1073741824`` means.

    A letter alone is binary, as SLURM and most schedulers read it (``4G`` is 4 GiB); ``GB`` too, so
    that no two spellings of one limit differ.

    Raises
    ------
    InputError
        Code ``usage`` where the text is no size above nothing.
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(float(match[1]) * 1024 ** _POWER[match[2].lower()]) if match else 0
    if size <= 0 or (match and match[3] and not match[2]):
        raise _usage(f"`{text}` is no size", "write 512MiB, 4GiB or plain bytes")
    return size


def size_text(n_bytes: int) -> str:
    """Write a size for people: ``4 GiB``."""
    power = min(max(int(math.log(max(n_bytes, 1), 1024)), 0), 4)
    unit = ("B", "KiB", "MiB", "GiB", "TiB")[power]
    return f"{n_bytes / 1024**power:.4g} {unit}"


def _check_cluster(cluster: str) -> None:
    if cluster in (NONE, LOCAL, SLURM):
        return
    match = _ADDRESS.fullmatch(cluster)
    if match is None or not 0 < int(match[3]) < 65_536:
        raise _usage(f"no cluster `{cluster}`", f"--cluster takes {ALLOWED}")


def _at_least(option: str, value: int | None, least: int) -> None:
    if value is not None and value < least:
        raise _usage(f"{option} is {value}", f"it is a whole number from {least}")


def _positive(option: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise _usage(f"{option} is {value:g}", "it is a number above 0")


def _usage(message: str, hint: str) -> InputError:
    return InputError(message, code="usage", hint=hint)
