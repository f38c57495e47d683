"""The flow chart of a curation."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.publish.curation_figure import MOST_REASONS, FlowStep, figure_flow

STEPS = [
    FlowStep("Modality: CT", 1200, 800, [("modality is not CT", 400)]),
    FlowStep("Slices: none missing", 800, 800, [], n_unchecked=799),
    FlowStep(
        "No planning pictures, no renderings, and whatever else a long label may want to say here",
        800,
        410,
        [("described as `scout*`", 200), ("b & <c>", 100), ("d", 50), ("e", 30), ("f", 10)],
    ),
]
LEFT = {"series": 410, "studies": 300, "subjects": 150}
GOLDEN = Path(__file__).parents[1] / "golden" / "curation-flow.txt"
"""Where which words stand, in points. Run this file to write it anew, and look at the picture."""


def texts(svg):
    return re.findall(r">([^<>]+)</text>", svg)


def written_places(svg):
    """Write the texts with their places to the whole point, a line each."""
    found = re.findall(r'<text [^>]*?x="([-.0-9]+)" y="([-.0-9]+)"[^>]*>([^<]*)</text>', svg)
    return "".join(f"{round(float(x))} {round(float(y))} {text}\n" for x, y, text in found)


def test_the_same_counts_give_the_same_picture_as_ever():
    picture = figure_flow("a study", 1200, STEPS, LEFT)
    again = figure_flow("a study", 1200, STEPS, LEFT)
    assert dict(picture.files()) == dict(again.files())
    assert written_places(picture.svg) == GOLDEN.read_text(encoding="utf-8")


def test_every_count_and_reason_is_there_and_the_rest_is_summed():
    shown = texts(figure_flow("a study", 1200, STEPS, LEFT).svg)
    assert "1\u202f200 series considered" in shown
    for text in (
        "400 left out",
        "390 left out",
        "800 left, 799 of them unchecked",
        "410 left",
        "modality is not CT",
    ):
        assert text in shown
    assert {"2 more reasons", "40", "b &amp; &lt;c&gt;"} <= set(shown)
    assert {"410 series in the study", "300 studies, 150 subjects"} <= set(shown)


def test_a_rule_that_left_out_nothing_is_named_too():
    shown = texts(figure_flow("a study", 3, [FlowStep("Licence", 3, 3, [])], {"series": 3}).svg)
    assert "Licence" in shown
    assert not any("left out" in text for text in shown)


def test_no_rules_and_no_series_make_a_picture():
    shown = texts(figure_flow("a study", 0, [], {"series": 0}).svg)
    assert shown == ["0 series considered", "0 series in the study"]


@settings(max_examples=12)
@given(st.lists(st.integers(0, 50), max_size=6))
def test_numbers_in_the_boxes_add_up(leaving):
    n = sum(leaving)
    steps = []
    for left_out in leaving:
        reasons = [(f"reason {k}", 1) for k in range(left_out)]
        steps.append(FlowStep("rule", n, n - left_out, reasons))
        n -= left_out
    shown = texts(figure_flow("a study", sum(leaving), steps, {"series": n}).svg)
    for left_out in leaving:
        assert left_out == 0 or f"{left_out} left out" in shown
        if left_out > MOST_REASONS:
            assert any(text.endswith(("more reason", "more reasons")) for text in shown)


if __name__ == "__main__":
    GOLDEN.write_text(written_places(figure_flow("a study", 1200, STEPS, LEFT).svg), "utf-8")
