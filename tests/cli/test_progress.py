import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from lesionary.cli.pace import Pace, duration_text
from lesionary.cli.progress import LineProgress, TerminalProgress


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def go_on(shown, clock, n, each_s, failed=0):
    for _ in range(n):
        clock.now_s += each_s
        shown.advance("measure", 1, failed=failed)


def test_a_line_every_ten_seconds_tells_count_rate_time_left_and_failures(clock):
    stream = io.StringIO()
    shown = LineProgress(stream, clock)
    shown.start("measure", 1000)
    go_on(shown, clock, 16, 0.625)
    go_on(shown, clock, 2, 0.625, failed=1)
    go_on(shown, clock, 14, 0.625)
    shown.finish("measure")
    assert stream.getvalue().splitlines() == [
        "measure: 16 of 1000, 1.6/s, 10 min 15 s left",
        "measure: 32 of 1000, 1.6/s, 10 min 5 s left, 2 failed",
        "measure: 32 of 1000, in 20 s, 2 failed",
    ]


def test_a_stage_with_nothing_to_do_says_nothing(clock):
    stream = io.StringIO()
    shown = LineProgress(stream, clock)
    shown.start("measure", 0)
    shown.finish("measure")
    assert stream.getvalue() == ""


def test_what_is_due_may_be_unknown_and_may_grow(clock):
    stream = io.StringIO()
    shown = LineProgress(stream, clock)
    shown.start("measure", None)
    go_on(shown, clock, 1, 20)
    shown.extend("measure", 5)
    go_on(shown, clock, 1, 20)
    shown.extend("measure", 5)
    go_on(shown, clock, 1, 20)
    assert stream.getvalue().splitlines() == [
        "measure: 1, 3.0/min",
        "measure: 2 of 5, 3.0/min, 1 min left",
        "measure: 3 of 10, 3.0/min, 2 min 20 s left",
    ]


def test_the_bar_tells_the_same_and_fits_a_narrow_terminal(clock):
    console = Console(record=True, force_terminal=True, width=80, file=io.StringIO())
    shown = TerminalProgress(console, clock)
    with shown:
        shown.start("agree", 0)
        shown.finish("agree")
        shown.start("measure", None)
        shown.extend("measure", 1000)
        go_on(shown, clock, 118, 0.3125)
        go_on(shown, clock, 2, 0.3125, failed=1)
        console.print(shown._bars.get_renderable())
        shown.finish("measure")
        console.print(shown._bars.get_renderable())
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert not any("agree" in line for line in lines)
    running = next(line for line in lines if line.startswith("measure") and "left" in line)
    assert running.endswith("120 of 1000 3.2/s 38 s, 4 min 35 s left 2 failed")
    assert any(line.endswith("120 of 1000 3.2/s in 38 s 2 failed") for line in lines)


def test_the_time_left_grows_while_nothing_ends(clock):
    pace = Pace(10, clock)
    clock.now_s = 10
    pace.advance(5, 0)
    assert pace.left_s == pytest.approx(10)
    clock.now_s = 20
    assert pace.left_s == pytest.approx(20)


def test_the_rate_follows_the_last_minutes(clock):
    pace = Pace(None, clock)
    for each_s in (10.0, 1.0):
        for _ in range(200):
            clock.now_s += each_s
            pace.advance(1, 0)
    assert pace.rate_text == "1.0/s"


@given(st.floats(0, 10**8), st.floats(0, 10**8))
def test_durations_are_short_words_in_order(a, b):
    def seconds(text):
        units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
        words = text.split()
        return sum(
            int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True)
        )

    low, high = sorted([a, b])
    assert seconds(duration_text(low)) <= seconds(duration_text(high))
    assert abs(seconds(duration_text(a)) - a) <= max(1, a / 24)
