import multiprocessing
from contextlib import ExitStack, contextmanager

import pytest

from lesionary.core.errors import WorkflowError
from lesionary.io.lock import exclusive, is_free, queued, shared

N_PROCESSES, N_ROUNDS = 3, 300


def nothing():
    pass


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "study.lock"


def come_and_go(lock, n_first, is_inside, answers):
    """Share a lock again and again; tell what was refused, and what was cleared under others."""

    def first():
        if any(is_inside):
            faults.append("somebody was inside")
        n_first.value += 1

    number, faults = is_inside_number(is_inside), []
    for _ in range(N_ROUNDS):
        try:
            with shared(lock, first=first):
                is_inside[number] = 1
                is_inside[number] = 0
        except WorkflowError as error:
            faults.append(error.code)
    answers.put(faults)


def is_inside_number(is_inside):
    return int(multiprocessing.current_process().name) % len(is_inside)


def test_who_comes_at_the_same_moment_is_let_in_and_nothing_is_cleared_under_others(lock):
    spawn = multiprocessing.get_context("spawn")
    n_first, is_inside = spawn.Value("i", 0), spawn.Array("b", N_PROCESSES)
    answers = spawn.Queue()
    processes = [
        spawn.Process(
            target=come_and_go, args=(lock, n_first, is_inside, answers), name=str(number)
        )
        for number in range(N_PROCESSES)
    ]
    for process in processes:
        process.start()
    faults = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(20)
    assert faults == [[]] * N_PROCESSES
    assert 1 <= n_first.value <= N_PROCESSES * N_ROUNDS


@contextmanager
def refused():
    with pytest.raises(WorkflowError) as error:
        yield
    assert error.value.code == "busy"


def test_who_is_alone_keeps_all_others_out(lock):
    with exclusive(lock):
        with refused(), exclusive(lock):
            pass
        with refused(), shared(lock, first=nothing):
            pass
    with shared(lock, first=nothing):
        pass


def test_who_shares_keeps_out_who_would_be_alone(lock):
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(shared(lock, first=nothing))
        with refused(), exclusive(lock):
            pass
    with exclusive(lock):
        pass


def test_only_who_finds_nobody_is_the_first(lock):
    came = []
    with shared(lock, first=lambda: came.append(1)), shared(lock, first=lambda: came.append(2)):
        pass
    with shared(lock, first=lambda: came.append(3)):
        pass
    assert came == [1, 3]


def test_while_the_first_clears_nobody_else_works(lock):
    def first():
        with refused(), exclusive(lock):
            pass
        assert not is_free(lock)

    with shared(lock, first=first):
        pass


def test_what_the_first_stumbles_over_leaves_the_lock_free(lock):
    def first():
        raise RuntimeError("no permission")

    with pytest.raises(RuntimeError), shared(lock, first=first):
        pass
    with exclusive(lock):
        pass


def test_a_queue_is_left_in_any_case(lock):
    with pytest.raises(RuntimeError), queued(lock):
        raise RuntimeError
    with queued(lock):
        assert not is_free(lock)
    assert is_free(lock)


def test_a_lock_that_was_never_made_is_free(lock):
    assert is_free(lock)
