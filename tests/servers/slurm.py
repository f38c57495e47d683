"""A whole SLURM on this one machine: two processors, loopback only, in a temporary folder."""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from .processes import LOOPBACK, GuardedFolder, ServerError, free_port, marked, tail, wait_until

NO_LOOPBACK = (
    "SLURM would listen beyond loopback here: "
    "run the tests as root, or let /etc/hosts give this machine's name the address 127.0.0.1"
)
PACKAGE = "no SLURM here: install the Debian packages slurm-wlm and munge"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
NODE = "node1"
PARTITION = "tests"
N_CPUS = 2
RENAMED = ("unshare", "--uts", "sh", "-c", 'hostname localhost && exec "$@"', "sh")
START_S = 60.0
STOP_S = 20.0
CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}({address})
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
PlugStackConfig={folder}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
PropagateResourceLimits=NONE
ReturnToService=2
KillWait=2
NodeName={node} NodeHostname={host} NodeAddr={address} CPUs={n_cpus} RealMemory={memory_mib}
PartitionName={partition} Nodes={node} Default=YES MaxTime=INFINITE State=UP
"""

# Nothing here uses control groups. slurmd looks for them all the same, but not for this version.
CONTROL_GROUPS = "CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n"


@dataclass(frozen=True)
class Host:
    """The name under which SLURM runs here, that name's address, and how a program gets it."""

    name: str
    address: str
    prefix: tuple[str, ...] = ()


def loopback_host() -> Host | None:
    """Return a name of this machine that stands for a loopback address, or nothing.

    SLURM listens on the address of the machine's own name and on no other. Where that name stands
    for an address of the outside world, the servers get a name of their own, which takes the right
    to open a namespace.
    """
    name = socket.gethostname()
    with suppress(OSError):
        addresses = [ip_address(one[4][0]) for one in socket.getaddrinfo(name, 0, socket.AF_INET)]
        if all(address.is_loopback for address in addresses):
            return Host(name.split(".")[0], str(addresses[0]))
    return Host("localhost", LOOPBACK, RENAMED) if can_rename() else None


def can_rename() -> bool:
    """Return whether programs may be started that see another host name."""
    with suppress(OSError):
        tried = subprocess.run([*RENAMED, "true"], check=False, capture_output=True)
        return tried.returncode == 0
    return False


def search_path() -> str:
    """Return where commands are looked for: servers lie in ``sbin``, which users often lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def what_is_missing() -> str:
    """Return a sentence on what this machine lacks for a SLURM of our own, or an empty one."""
    if not all(shutil.which(program, path=search_path()) for program in PROGRAMS):
        return PACKAGE
    return "" if loopback_host() else NO_LOOPBACK


class SlurmCluster:
    """munged, slurmctld and slurmd of our own, run as the user of the tests.

    Clients find them through `environment`. Jobs run as the same user, without cgroups, so neither
    root nor systemd is needed. As a context manager it starts, and is closed, itself.
    """

    def __init__(self) -> None:
        if missing := what_is_missing():
            raise ServerError(missing)
        self._host = loopback_host() or Host("localhost", LOOPBACK)
        self._folder = GuardedFolder("slurm")
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._is_up = False
        self.configuration = self._folder.path / "slurm.conf"

    @property
    def folder(self) -> Path:
        """The folder of configuration, logs and state."""
        return self._folder.path

    @property
    def environment(self) -> dict[str, str]:
        """What commands such as ``sbatch`` need, beside the environment of the tests."""
        return self._folder.environment | {"SLURM_CONF": str(self.configuration)}

    @property
    def pids(self) -> list[int]:
        """Every process of this SLURM, jobs and their keepers too."""
        return [process.pid for process in marked(self.folder)]

    def start(self) -> None:
        """Start all three servers and return when the node takes jobs."""
        self._write_configuration()
        self._launch("munged", *self._munge_options())
        self._await("munged", (self.folder / "munge" / "socket").exists)
        self._launch("slurmctld", "-D", "-f", str(self.configuration))
        self._launch("slurmd", "-D", "-f", str(self.configuration))
        self._await("slurmd", self._is_idle)
        self._is_up = True

    def command(self, *arguments: str, timeout_s: float = 60) -> str:
        """Run one of SLURM's commands and return what it prints; raise where it fails."""
        done = subprocess.run(
            [*self._host.prefix, *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(f"{' '.join(arguments)} failed: {done.stderr.strip()}\n{self.logs()}")
        return done.stdout.strip()

    def jobs(self, state: str = "all") -> list[int]:
        """Return the numbers of the jobs in a state such as ``running`` or ``pending``."""
        return [int(one) for one in self.command("squeue", "-h", "-t", state, "-o", "%A").split()]

    def cancel_all(self) -> None:
        """Cancel every job and wait until the node is idle again."""
        self.command("scancel", "--user", getpass.getuser())
        if not wait_until(lambda: not self._unfinished() and self._is_idle(), STOP_S, 0.2):
            raise ServerError(f"jobs do not end:\n{self.logs()}")

    def logs(self) -> str:
        """Return the tail of every log."""
        names = ("munged", "slurmctld", "slurmd")
        return "\n".join(f"--- {name}\n{tail(self.folder / f'{name}.log')}" for name in names)

    def stop(self) -> None:
        """Cancel jobs, then end the servers, the last started first."""
        if self._is_up:
            with suppress(ServerError, subprocess.TimeoutExpired):
                self.cancel_all()
        for daemon in reversed(self._daemons.values()):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(timeout=STOP_S)
        self._daemons.clear()
        self._is_up = False

    def close(self) -> None:
        """Stop for good and remove the folder."""
        try:
            self.stop()
        finally:
            self._folder.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _unfinished(self) -> list[int]:
        return self.jobs("pending,running,suspended,completing,configuring")

    def _is_idle(self) -> bool:
        with suppress(ServerError):
            return self.command("sinfo", "-h", "-o", "%T", timeout_s=20) == "idle"
        return False

    def _write_configuration(self) -> None:
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(mode=0o755)
        key = self.folder / "munge" / "key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        text = CONFIGURATION.format(
            host=self._host.name,
            address=self._host.address,
            controller_port=free_port(),
            node_port=free_port(),
            user=getpass.getuser(),
            folder=self.folder,
            node=NODE,
            partition=PARTITION,
            n_cpus=N_CPUS,
            memory_mib=psutil.virtual_memory().total // 2**20,
        )
        self.configuration.write_text(text, encoding="utf-8")
        cgroups = self.configuration.with_name("cgroup.conf")
        cgroups.write_text(CONTROL_GROUPS, encoding="utf-8")

    def _munge_options(self) -> Sequence[str]:
        place = self.folder / "munge"
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed"}
        return ["--foreground", *(f"--{option}={place / name}" for option, name in files.items())]

    def _launch(self, program: str, *options: str) -> None:
        executable = shutil.which(program, path=search_path())
        with (self.folder / f"{program}.log").open("ab") as log:
            self._daemons[program] = subprocess.Popen(
                [*self._host.prefix, executable or program, *options],
                cwd=self.folder,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await(self, program: str, is_up: Callable[[], bool]) -> None:
        daemons = self._daemons.values()
        wait_until(lambda: is_up() or any(one.poll() is not None for one in daemons), START_S, 0.1)
        if any(one.poll() is not None for one in daemons) or not is_up():
            raise ServerError(f"{program} did not come up:\n{self.logs()}")
