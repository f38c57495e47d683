import os
import signal
import subprocess
import sys
import threading

import pytest

from lesionary.app.executor.interrupts import handlers_kept, interrupt_held


def test_an_interrupt_comes_when_the_moment_is_over():
    done = []

    def start():
        with interrupt_held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        start()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_one_nothing_happens():
    with interrupt_held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_processes_that_begin_meanwhile_do_not_hear_it():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('unharmed')"
    with interrupt_held():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"unharmed"


def test_a_library_that_answers_signals_as_it_is_imported_is_undone():
    before = signal.getsignal(signal.SIGINT)
    with handlers_kept():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_may_start_clusters_too():
    done = []

    def start():
        with interrupt_held():
            done.append(True)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert done
