"""Tasks that do to their process what real cases do: kill it, fill it, keep it busy."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lesionary.core.errors import InputError


class UnpicklableError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)
        self.lock = (lambda: second,)


class HardStop(BaseException):
    pass


def act(request: tuple[str, Any]) -> Any:
    """Do what the request names."""
    name, argument = request
    return ACTIONS[name](argument)


def double(number: int) -> int:
    return 2 * number


def _refuse(_: Any) -> None:
    raise InputError("thirteen is refused", code="unlucky", hint="take another")


def _kill_self(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _crash(_: Any) -> None:
    ctypes.string_at(0)


def _fill_memory(n_mib: int) -> None:
    held = [bytearray(os.urandom(1024) * 1024) for _ in range(n_mib)]
    time.sleep(60)
    assert held


def _fill_memory_in_a_child(n_mib: int) -> None:
    code = f"import time; held = [bytearray(b'x' * 2**20) for _ in range({n_mib})]; time.sleep(60)"
    subprocess.run([sys.executable, "-c", code], check=True)


def _hold_the_interpreter(_: Any) -> None:
    """Stay in compiled code that lets no other thread of the process run."""
    ctypes.PyDLL(None).sleep(60)


def _fork_and_sleep(path: str) -> None:
    """Start a process that would outlive this one, and tell both their numbers."""
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    _tell(path, f"{os.getpid()} {other.pid}")
    time.sleep(60)


def _sleep_once(path: str) -> int:
    """Tell the process and wait to be killed; the second time, return."""
    if Path(path).exists():
        return os.getpid()
    _tell(path, str(os.getpid()))
    time.sleep(60)
    return 0


def _tell(path: str, text: str) -> None:
    part = Path(path + ".part")
    part.write_text(text)
    part.replace(path)


def _chatter(number: int) -> int:
    sys.stdout.write("x" * 100_000)
    os.write(1, b"\x00\x01\x02" * 1000)
    return number


def _raise(error: BaseException | type[BaseException]) -> None:
    raise error


def _unpicklable_error(_: Any) -> None:
    raise UnpicklableError("first", "second")


def _pool(number: int) -> int:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(double, [number])[0]


KEPT: list[bytearray] = []

ACTIONS = {
    "double": double,
    "refuse": _refuse,
    "kill": _kill_self,
    "crash": _crash,
    "fill": _fill_memory,
    "fill_in_child": _fill_memory_in_a_child,
    "hold": _hold_the_interpreter,
    "sleep": time.sleep,
    "fork": _fork_and_sleep,
    "sleep_once": _sleep_once,
    "chatter": _chatter,
    "exit": sys.exit,
    "hard_exit": os._exit,
    "raise": _raise,
    "unpicklable_error": _unpicklable_error,
    "unpicklable": lambda _: lambda: None,
    "environment": lambda _: dict(os.environ),
    "pid": lambda _: os.getpid(),
    "pool": _pool,
    "keep": lambda n_mib: len(KEPT.extend(bytearray(b"x" * 2**20) for _ in range(n_mib)) or KEPT),
    "big": lambda n: b"x" * n,
}
