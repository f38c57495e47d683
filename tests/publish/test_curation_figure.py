"""The flow chart of a curation."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.publish.curation_figure import MOST_REASONS, FlowStep, figure_flow
from lesionary.publish.report.lettering import fitted, width_inches

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


def placed(svg):
    """Return where texts begin, in points, how they are written, and their words."""
    found = re.findall(r"<text ([^>]*)>([^<]*)</text>", svg)
    return [(float(re.search(r' x="([-.0-9]+)"', at)[1]), at, words) for at, words in found]


LETTERS = st.text(st.sampled_from("WiMx lw;,A肝漢"), max_size=140)


@settings(max_examples=25, deadline=None)
@given(LETTERS, LETTERS)
def test_no_text_runs_over_its_box_however_long_and_wide_it_is(label, reason):
    steps = [FlowStep(label, 1_000_000, 1, [(reason, 999_999)], n_unchecked=1)]
    svg = figure_flow("a study", 1_000_000, steps, {"series": 1, "studies": 1_000_000}).svg
    n_letters = 0
    for x, style, words in placed(svg):
        is_left = x < 3.4 * 72
        right = (3.05 if is_left else 7.15) * 72
        if "text-anchor: end" not in style:
            size = 8.6 if "font-weight" in style else 8.0
            assert x + width_inches(words, size, is_bold="font-weight" in style) * 72 <= right
        n_letters += len(re.sub(r"\s|&[a-z]+;", "", words)) if is_left else 0
    assert n_letters >= len(label.replace(" ", "")), "nothing is cut"


@given(st.text(max_size=60), st.floats(0.05, 3.0))
def test_lines_hold_all_letters_and_fit_unless_one_letter_is_too_wide(text, room_inches):
    lines = fitted(text, room_inches, 8.0)
    assert "".join("".join(lines).split(" ")) == re.sub(r"[ \t\r\n]", "", text)
    assert all(len(line) < 2 or width_inches(line, 8.0) <= room_inches for line in lines)


def test_a_label_of_several_lines_is_bold_to_its_end():
    long = "whole scans of the upper body without any of their planning pictures"
    svg = figure_flow("a study", 2, [FlowStep(long, 2, 2, [])], {"series": 2}).svg
    bold = " ".join(words for _, style, words in placed(svg) if "font-weight" in style)
    assert long in bold


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
