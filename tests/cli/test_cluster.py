from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lesionary.app.executor import ClusterOptions
from lesionary.cli.cluster import takes_cluster
from lesionary.cli.main import app


@pytest.fixture
def given():
    """Return ``given(*words, **environment)``: the options that a command gets."""
    got = []

    @takes_cluster
    def command(study: Path, *, cluster: ClusterOptions, json: bool = False) -> int:
        got.append((study, cluster, json))
        return 0

    one = typer.Typer()
    one.command()(command)

    def call(*words, **environment):
        done = CliRunner().invoke(one, ["folder", *words], env=environment)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        study, cluster, _ = got.pop()
        assert study == Path("folder")
        return cluster

    return call


def test_a_command_without_options_runs_in_its_own_process(given):
    assert given() == ClusterOptions()


def test_every_option_reaches_the_command(given):
    words = "--cluster local --workers 3 --timeout 2.5 --memory-limit 512MiB --retries 0 --gpus 2"
    assert given(*words.split(), "--wait", "7") == ClusterOptions(
        "local", 3, 2.5, 512 * 2**20, 0, 2, 7.0
    )


def test_a_flag_counts_more_than_the_environment(given):
    environment = {"LESIONARY_CLUSTER": "local", "LESIONARY_WORKERS": "2", "LESIONARY_RETRIES": "5"}
    assert given(**environment) == ClusterOptions("local", 2, retries=5)
    assert given("--workers", "4", **environment) == ClusterOptions("local", 4, retries=5)


@pytest.mark.parametrize("name", ["prepare", "annotate", "measure", "agree", "evaluate", "run"])
def test_every_command_that_runs_units_takes_them(name):
    command = typer.main.get_command(app).commands[name]
    options = {word for parameter in command.params for word in parameter.opts}
    assert {
        "--cluster", "--workers", "--timeout", "--memory-limit", "--retries", "--gpus", "--wait",
        "--json",
    } <= options  # fmt: skip
