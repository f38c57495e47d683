import pytest

from hard_tasks import HardStop, act, double
from lesionary.app.executor import ClusterOptions, Failure, InlineExecutor, executor_for


@pytest.mark.parametrize("options", [ClusterOptions(), ClusterOptions(timeout_s=60)])
def test_requests_are_pulled_one_by_one_and_answered_in_order(options):
    pulled = []

    def requests():
        for number in range(10_000):
            pulled.append(number)
            yield number

    with executor_for(options) as executor:
        for position, outcome in executor.run(double, requests()):
            assert outcome == 2 * position
            assert len(pulled) == position + 1
            if position == 500 and options.limits.is_any:
                break
    assert len(pulled) in (501, 10_000)


def test_whatever_a_task_raises_stops_no_other():
    requests = [("double", 1), ("raise", HardStop), ("exit", 3), ("refuse", None), ("double", 2)]
    found = [outcome for _, outcome in InlineExecutor().run(act, requests)]
    assert (found[0], found[4]) == (2, 4)
    assert [one.code for one in found[1:4]] == ["bug", "bug", "unlucky"]


def test_the_users_own_interrupt_ends_the_run():
    run = InlineExecutor().run(act, [("raise", KeyboardInterrupt), ("double", 1)])
    with pytest.raises(KeyboardInterrupt):
        next(run)


def test_a_gpu_is_here_only_where_the_user_says_so():
    with executor_for(ClusterOptions(gpus=1)) as executor:
        assert dict(executor.run(double, [1], resources={"GPU": 1})) == {0: 2}
    with executor_for("none") as executor:
        (failure,) = dict(executor.run(double, [1], resources={"GPU": 1})).values()
    assert isinstance(failure, Failure)
    assert (failure.code, failure.reason) == ("no_resource", "no worker offers GPU=1")
    assert "--gpus" in failure.hint
