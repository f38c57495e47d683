import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.app.executor import ClusterOptions
from lesionary.app.executor.options import parse_size, size_text
from lesionary.core.errors import InputError

UNITS = {"": 1, "k": 2**10, "M": 2**20, "GiB": 2**30, "gb": 2**30, " TiB": 2**40}


@given(st.integers(1, 10**6), st.sampled_from(sorted(UNITS)))
def test_a_size_is_its_number_times_its_unit(number, unit):
    assert parse_size(f"{number}{unit}") == number * UNITS[unit]


@given(st.integers(1, 1023), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_what_is_written_is_read_back(number, unit):
    text = f"{number} {unit}"
    assert size_text(parse_size(text)) == text


@pytest.mark.parametrize("text", ["", "0", "-1", "4X", "GiB", "4iB", "nan", "1e9", "4 GiB more"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError) as caught:
        parse_size(text)
    assert caught.value.code == "usage"
    assert "4GiB" in caught.value.hint


@pytest.mark.parametrize(
    "cluster",
    ["none", "local", "tcp://10.0.0.1:8786", "tls://head.cluster:1", "tcp://[::1]:8786"],
)
def test_every_kind_of_cluster_is_taken(cluster):
    assert ClusterOptions(cluster).cluster == cluster


@pytest.mark.parametrize(
    "cluster",
    ["", "Local", "moon", "http://a:1", "tcp://a", "tcp://a:0", "tcp://a:65536", "tcp://:1",
     "tcp://a:1/x", "tcp://a b:1"],
)  # fmt: skip
def test_any_other_is_refused_with_the_names_that_are(cluster):
    with pytest.raises(InputError) as caught:
        ClusterOptions(cluster)
    assert caught.value.code == "usage"
    for name in ("none", "local", "slurm", "tcp://", "tls://"):
        assert name in caught.value.hint


@pytest.mark.parametrize(
    "given",
    [
        {"cluster": "local", "workers": 0},
        {"workers": 2},
        {"cluster": "tcp://a:1", "workers": 2},
        {"cluster": "tcp://a:1", "gpus": 1},
        {"cluster": "slurm"},
        {"cluster": "slurm", "workers": 4, "gpus": 2},
        {"retries": -1},
        {"gpus": -1},
        {"timeout_s": 0.0},
        {"timeout_s": float("nan")},
        {"timeout_s": float("inf")},
        {"memory_limit": "0"},
        {"wait_s": -1.0},
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(given):
    with pytest.raises(InputError) as caught:
        ClusterOptions.parse(**given)
    assert caught.value.code == "usage"
    assert caught.value.hint


def test_there_are_no_limits_unless_told():
    assert not ClusterOptions().limits.is_any
    limits = ClusterOptions.parse(timeout_s=3.0, memory_limit="1GiB").limits
    assert (limits.timeout_s, limits.memory_limit_bytes, limits.is_any) == (3.0, 2**30, True)


def test_a_queue_is_waited_for_longer_than_a_cluster():
    slurm = ClusterOptions("slurm", workers=2)
    assert slurm.worker_wait_s > ClusterOptions("tcp://a:1").worker_wait_s
    assert ClusterOptions("tcp://a:1", wait_s=5).worker_wait_s == 5
