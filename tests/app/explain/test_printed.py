"""Every statistic that the report prints is found, and told from what it was computed."""

import csv
import re
import shutil
from html.parser import HTMLParser

import pytest

from lesionary.app.explain.address import parse_address
from lesionary.app.explain.cells import cells_with
from lesionary.app.explain.explaining import Explainer, explain
from lesionary.app.explain.published import Published
from lesionary.app.study import Study

BREAKS = {"td", "th", "p", "li", "figcaption", "dd", "dt", "h1", "h2", "text", "summary"}
NUMBER = re.compile(
    r"(?<![\w#.\-])[−-]?\d[\d\u202f]*(?:\.\d+)?(?:e−\d+)?(?:\s?(?:ml|mm|%|HU|SUVbw)\b)?(?![\w#]|-\w)"
)
IN_FIGURES = re.compile(r"n = \d+|bias [−.\d]+|median [−.\d]+")
"""What stands in a figure besides the ticks of its axes."""


class Page(HTMLParser):
    """Collects texts, but for names on top, remarks, and settings, which are in ``study.toml``."""

    def __init__(self):
        super().__init__()
        self.texts, self.words, self.drawings, self.skipped = [], "", 0, ""

    def handle_starttag(self, tag, attrs):
        self.drawings += tag == "svg"
        names = dict(attrs).get("class") or ""
        if tag in {"style", "footer", "title", "h1"} or names in {"byline", "methods", "aside"}:
            self.skipped = self.skipped or tag
        self._break(tag)

    def handle_endtag(self, tag):
        self._break(tag)
        self.drawings -= tag == "svg"
        if tag == self.skipped:
            self.skipped = ""

    def handle_data(self, data):
        if not self.skipped:
            self.words += data

    def _break(self, tag):
        if tag in BREAKS:
            text = re.sub(r"[^\S\u202f]+", " ", self.words)
            self.texts += IN_FIGURES.findall(text) if self.drawings else [text]
            self.words = ""


def printed_numbers(study):
    page = Page()
    page.feed((study.files.release / "report.html").read_text("utf-8"))
    return {found: text for text in page.texts for found in NUMBER.findall(text)}


@pytest.mark.parametrize("name", ["drafted", "read"])
def test_every_number_that_the_report_prints_is_found(name, request):
    study = Study.open(request.getfixturevalue(name))
    release = Published.of(study, None)
    numbers = printed_numbers(study)
    assert len(numbers) > 30
    lost = {
        number: text
        for number, text in numbers.items()
        if not cells_with(release, parse_address(number))
    }
    assert not lost
    study.registry.close()


def line_of(study, **wanted):
    """Return the address of a row of the summary."""
    with (study.files.release / "summary.csv").open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            if all(row[name] == text for name, text in wanted.items()):
                return f"summary.csv:{line}:value"
    raise AssertionError(wanted)


def test_a_median_names_its_lesions_and_leads_to_their_masks(drafted):
    study = Study.open(drafted)
    address = line_of(study, section="labels", measure="diameter_mm", statistic="median")
    (hit,) = explain(study, address).hits
    assert hit.facts["n"] == len(hit.facts["lesions"]) > 1
    assert hit.facts["units"] == len(hit.sources)
    assert {step.split("/")[1] for step in hit.sources} == {"measure"}
    assert {name.split("/")[0] for name in hit.facts["lesions"]} == {
        step.split("/")[2] for step in hit.sources
    }


def test_what_was_left_out_leads_to_findings_and_what_came_in_to_series(drafted):
    study = Study.open(drafted)
    (left_out,) = explain(study, line_of(study, section="study", measure="left_out")).hits
    assert {step.split("/")[0] for step in left_out.sources} == {"finding"}
    (series,) = explain(study, line_of(study, section="study", measure="series")).hits
    assert series.sources == ("series/ser-0001", "series/ser-0002")


def test_a_unit_is_that_of_the_value_not_of_how_many_there_are(drafted):
    study = Study.open(drafted)
    for number in ("2 mm", "4 ml", "2 HU"):
        for cell in cells_with(Published.of(study, None), parse_address(number)):
            assert cell.column != "n"


def test_a_statistic_that_comes_out_otherwise_now_is_told(drafted, tmp_path):
    shutil.copytree(drafted, tmp_path / "study")
    study = Study.open(tmp_path / "study")
    path = study.files.release / "summary.csv"
    address = line_of(study, section="study", measure="lesions")
    text = path.read_text("utf-8")
    path.write_text(text.replace("study,,lesions,count,,", "study,,lesions,count,,9"), "utf-8")
    found = Explainer.of(study).explained(address)
    reasons = {check.reason for check in found.faults_of(found.hits[0])}
    assert "its checksum differs" in reasons
    assert any("publish it again" in reason for reason in reasons)
    study.registry.close()
