"""What the report sums up: each number that it prints is in the list, with what it describes."""

import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.findings import Outcome
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Quantity
from lesionary.publish.report import (
    IgnoredRow,
    LeftOutRow,
    LesionRow,
    Method,
    ReportData,
    ReviewState,
    SeriesRow,
    render_report,
)
from lesionary.publish.report.described import lesions_described, series_described
from lesionary.publish.report.summarising import summary_of
from lesionary.publish.report.summary import SUMMARY_COLUMNS
from lesionary.publish.tables import csv_text

SECTIONS = {"kinds", "time", "subjects", "intake"}
PER_LESION = {"kinds", "labels", "masks", "subjects", "series"}


def sizes():
    return st.none() | st.floats(0.01, 5000, allow_nan=False)


@st.composite
def studies(draw):
    series = tuple(
        SeriesRow(
            f"ser-{n:04d}",
            f"sub-{n % 3:04d}",
            n // 3,
            draw(st.sampled_from(["CT", "PT"])),
            "abdomen",
            (10, 64, 64),
            (2.5, 0.7, 0.7),
            draw(st.sampled_from([Outcome.INGESTED, Outcome.WARNED, Outcome.FIXED])),
            is_annotated=draw(st.booleans()),
            is_published=draw(st.booleans()),
        )
        for n in range(draw(st.integers(1, 6)))
    )
    places = ["m,liver", "t,lung", "n,iliac", "lesion"]
    lesions = tuple(
        LesionRow(
            series=scan.id,
            subject=scan.subject,
            timepoint=scan.timepoint,
            lesion=number + 1,
            label=(label := draw(st.sampled_from(places))),
            kind=LesionKind.NODE if label.startswith("n,") else LesionKind.TUMOUR,
            volume_ml=draw(sizes()),
            long_axis_mm=10.0,
            short_axis_mm=8.0,
            diameter_mm=draw(sizes()),
            mean_intensity=draw(st.none() | st.floats(-900, 900)),
            slice_index=4,
            quantity=draw(st.sampled_from([Quantity.HU, Quantity.SUVBW])),
            method=draw(st.sampled_from(Method)),
            segmenter=draw(st.sampled_from([None, "contour 1"])),
            state=draw(st.sampled_from(ReviewState)),
        )
        for scan in series
        if scan.is_annotated
        for number in range(draw(st.integers(0, 4)))
    )
    left_out = tuple(
        LeftOutRow(f"1#{n}", draw(st.sampled_from(["localizer", "no_pixels"])), "why")
        for n in range(draw(st.integers(0, 14)))
    )
    ignored = (IgnoredRow("not_a_file", "a pipe"), IgnoredRow("not_a_file", "a pipe", 2))
    return ReportData(
        "T", "s", "general", "1.0", "0.1.0", series, left_out, ignored, lesions
    )  # fmt: skip


class Cells(HTMLParser):
    """Collects the text of the cells of tables that sum up, and of the numbers on top."""

    def __init__(self):
        super().__init__()
        self.section = ""
        self.texts = []
        self.is_open = False

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self.section = dict(attrs)["id"]
        is_number = tag == "td" and dict(attrs).get("class") == "n"
        self.is_open = tag == "dd" if not self.section else is_number and self.section in SECTIONS
        if self.is_open:
            self.texts.append("")

    def handle_endtag(self, tag):
        self.is_open = self.is_open and tag not in {"td", "dd"}

    def handle_data(self, data):
        if self.is_open:
            self.texts[-1] += data


def printed(html):
    cells = Cells()
    cells.feed(html)
    for text in cells.texts:
        plain = text.replace("\u202f", "").replace("−", "-")
        yield from re.findall(r"(?<![\d.])-?\d+(?:\.\d+)?(?:e-\d+)?", plain)


def is_in(values, text):
    number = Decimal(text)
    half = Decimal(5).scaleb(number.as_tuple().exponent - 1)
    return any(abs(value - number) <= half for value in values)


@settings(max_examples=60, deadline=None)
@given(studies())
def test_every_number_of_a_table_that_sums_up_is_in_the_list(data):
    summary = summary_of(data)
    values = [Decimal(repr(v)) for one in summary for v in (one.value, one.n) if v is not None]
    values += [Decimal(scan.timepoint) for scan in data.series]
    numbers = list(printed(render_report(data, summary)))
    assert len(numbers) > 6
    for text in numbers:
        assert is_in(values, text), text


@settings(max_examples=60, deadline=None)
@given(studies())
def test_a_statistic_rests_on_as_many_lesions_as_it_says(data):
    for one in summary_of(data):
        lesions = lesions_described(data, one)
        if one.section in PER_LESION and one.n is not None and one.value is not None:
            assert len(lesions) == one.n, one
        if one.measure.startswith(("lesions", "unreviewed", "without")) and one.value is not None:
            assert len(lesions) == one.value, one
        rows = series_described(data, one)
        if one.measure.startswith("series"):
            assert len(rows) == one.value, one
        assert {row.series for row in lesions} <= {row.id for row in rows}, one


@settings(max_examples=60, deadline=None)
@given(studies(), st.randoms())
def test_the_order_in_which_lesions_come_changes_no_statistic(data, random):
    from dataclasses import replace

    shuffled = list(data.lesions)
    random.shuffle(shuffled)
    first, second = (
        {(one.section, one.group, one.measure, one.statistic, one.unit): one.value for one in found}
        for found in (summary_of(data), summary_of(replace(data, lesions=tuple(shuffled))))
    )
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert second[key] == (value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9))


@settings(max_examples=30, deadline=None)
@given(studies())
def test_every_row_has_a_place_of_its_own_and_a_value_or_a_reason(data):
    rows = [one.row() for one in summary_of(data)]
    names = [(r["section"], r["group"], r["measure"], r["statistic"], r["unit"]) for r in rows]
    assert len(set(names)) == len(names)
    assert all((row["value"] is None) == bool(row["reason"]) for row in rows)
    assert "nan" not in csv_text(SUMMARY_COLUMNS, rows)


def test_an_empty_study_is_summed_up_too():
    summary = summary_of(ReportData("Nothing", "s", "general", "1.0", "0.1.0"))
    assert summary.count("study", "", "lesions") == 0
    assert summary.get("study", "", "volume_ml", "sum").value == 0
    assert summary.get("kinds", "all lesions", "diameter_mm", "median").value is None
