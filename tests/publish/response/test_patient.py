"""A patient's report: self-contained, whole, and honest about what is not known."""

import re

import pytest

from lesionary.core.errors import PluginUnavailableError
from lesionary.measure.response.records import Criteria
from lesionary.publish.response import pdf
from lesionary.publish.response.chances import chance_svg, chance_text
from lesionary.publish.response.patient import PatientData, ResponseRules, render_patient_report
from lesionary.publish.response.pdf import report_pdf
from lesionary.publish.response.report_tables import MOST_COLUMNS

LESIONS = {
    "A": ("30.0", "20.0", "not_evaluable"),
    "B#1": (None, "6.0", "6.0"),
    "B#2": (None, "5.0", "5.0"),
    "B": ("14.0", None, None),
    "nt-C": ("present", "absent", "present"),
    "new-D": (None, None, "present"),
}
STRADDLE = {
    "subject": "sub-0001", "reader": None, "track": "A", "timepoint": "1", "threshold": "shrunk",
    "limit": -30.0, "definition": "volume", "reported": -33.3, "other": -28.1,
}  # fmt: skip
VOLUME = {
    "subject": "sub-0001", "reader": None, "timepoint": "0", "target_volume_ml": 12.3,
    "change_from_baseline_percent": None, "change_from_nadir_percent": None,
    "volumetric_response": None,
    "reason": dict.fromkeys(
        ("change_from_baseline_percent", "change_from_nadir_percent", "response"), "the baseline"
    ),
}  # fmt: skip


def report(judged, **more):
    return render_patient_report(PatientData("sub-0001", "A study", "0.0.0", judged, **more))


@pytest.fixture
def judged(made):
    return made("sub-0001", LESIONS, days=(0, 40, 90))


def plain(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_needs_nothing_else(judged):
    html = report(judged)
    assert "<script" not in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html)
    assert "default-src 'none'" in html
    assert "@page" in html


def test_sums_responses_and_lesions_stand_in_their_tables(judged):
    said = plain(report(judged))
    assert "44.0" in said
    assert "31.0" in said
    assert "(11.0)" in said  # what is measured of an incomplete sum
    assert "6.0 + 5.0" in said  # the parts of a split lesion
    assert "not evaluable" in said
    assert "Sum" in said


def test_it_is_proposed_until_a_reader_affirms(judged):
    assert "No reader has yet affirmed" in report(judged)
    assert "No reader has yet affirmed" not in report({**judged, "state": "affirmed"})


def test_every_dash_of_a_table_leads_to_its_reason(judged):
    html = report(judged)
    for table in re.findall(r"<table.*?</table>", html, flags=re.DOTALL):
        assert not re.search(r"<td[^>]*>–</td>", table)


def reported(track, computed_mm):
    row = {"timepoint": "0", "lesion": "L1", "track": track, "reader": None}
    row |= {"reported_mm": 31.0, "computed_mm": computed_mm, "difference_mm": None}
    return row | {"reason": {"track": "no measured lesion is known by this name"}}


def test_reported_and_computed_diameters_stand_side_by_side(judged):
    with_report = {**judged, "reported": [reported("A", 29.6)]}
    said = plain(report(with_report))
    assert "30.0 [31.0]" in said
    assert "the reported diameter. Neither" in said
    by_report = plain(report(with_report, rules=ResponseRules(diameters="reported")))
    assert "30.0 [29.6]" in by_report
    assert "the computed diameter. Neither" in by_report
    assert "Neither" not in plain(report(judged))


def test_a_reported_diameter_without_a_measured_lesion_is_listed(judged):
    said = plain(report({**judged, "reported": [reported(None, None)]}))
    assert "no measured lesion is known by this name" in said
    assert "Neither" not in said


def test_decisions_that_were_set_aside_are_counted(judged):
    stale = {"n": 2, "reasons": [{"reason": "the mask is another now", "n": 2}]}
    said = plain(report({**judged, "stale_decisions": stale}))
    assert "2 decisions of readers set aside: the mask is another now (2)." in said
    assert "set aside" not in plain(report(judged))


def test_uncertainty_is_shown_where_rows_have_it(judged):
    late = judged["responses"][1]
    late |= {
        "probability": {"PR": 0.7, "SD": 0.3, "PD": 0.0},
        "probability_any_targets": {"PR": 0.6, "SD": 0.4},
        "moved_most_by": "A",
        "moved_most_by_total_variation": 0.2,
        "sum_interval_mm": [29.0, 33.5],
    }
    html = report(judged)
    assert 'class="chance"' in html
    assert "PR 70.0 %, SD 30.0 %" in html
    assert "any targets: PR 60.0 %, SD 40.0 %" in html
    assert "31.0 (29.0–33.5)" in html
    assert "How sure" not in report({**judged, "responses": judged["responses"][:1]})


def test_many_time_points_are_told_in_several_tables(made):
    sizes = tuple(f"{20 + place}.0" for place in range(MOST_COLUMNS + 3))
    judged = made("s", {"A": sizes})
    html = report(judged)
    assert html.count('<table class="lesions">') == 2
    assert all(size in html for size in sizes)


def test_close_calls_volumes_and_warnings_have_their_place(judged):
    judged["responses"][1]["warnings"] = ["thicker slices than at the baseline"]
    said = plain(report({**judged, "straddles": [STRADDLE], "volumetric": [VOLUME]}))
    assert "sphere of the same volume" in said
    assert "−28.1 %" in said
    assert "12.3" in said
    assert "thicker slices than at the baseline" in said


def test_readers_stand_apart_and_where_they_differ_comes_first(made, together):
    parts = [
        made("s", {"A": ("40", size)}, reader=name)
        for name, size in (("anna", "20"), ("bert", "38"))
    ]
    both = together(*parts)
    both["disagreements"] = [
        {
            "timepoint": "1", "readers": ["anna", "bert"], "responses": ["PR", None],
            "causes": ["A", "B"], "is_joint": True,
            "seen": {"A": ["target 20 mm", "target 38 mm"]},
        }
    ]  # fmt: skip
    said = plain(report(both))
    assert (
        said.index("Where readers differ") < said.index("Reader anna") < said.index("Reader bert")
    )
    assert "A and B, together" in said
    assert "PR / –" in said


def test_irecist_has_its_columns(made):
    judged = made("s", LESIONS, days=(0, 40, 90), criteria=Criteria.IRECIST)
    html = report(judged, rules=ResponseRules(criteria="irecist"))
    assert "iUPD" in html
    assert "RECIST 1.1 and iRECIST" in html


def test_a_subject_that_could_not_be_judged_has_a_report():
    html = report({"not_judged": "two rows say different things", "state": "proposed"})
    assert "two rows say different things" in html
    assert "nothing to judge" in report({})


def test_names_are_text_and_never_markup(made):
    judged = made("s", {"A": ("40", "20")}, reader="<b>anna</b>")
    other = made("s", {"A": ("40", "20")}, reader="bert")
    judged["responses"] += other["responses"]
    judged["observations"] += other["observations"]
    html = report(judged)
    assert "<b>anna" not in html
    assert "&lt;b&gt;anna" in html


def test_the_same_data_give_the_same_page(judged):
    assert report(judged) == report(judged)


def test_bars_of_probability_fill_their_width():
    svg = chance_svg({"CR": 0.25, "PR": 0.5, "SD": 0.25, "PD": 0.0})
    widths = [float(text) for text in re.findall(r'<rect x="[\d.]+" width="([\d.]+)"', svg)]
    assert widths == [55.0, 110.0, 55.0]
    assert chance_text({"SD": 0.0004, "PR": 0.9996}) == "PR 100.0 %, SD < 0.1 %"


def test_pdf_is_written_alike_every_time(judged):
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))
    first = report_pdf(report(judged))
    assert first.startswith(b"%PDF")
    assert first == report_pdf(report(judged))


def test_pdf_shows_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("weasyprint", exc_type=(ImportError, OSError))
    path = tmp_path / "picture.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'
    )
    with_picture = report_pdf(f'<p>a<img src="{path.as_uri()}"></p>')
    assert len(with_picture) < len(report_pdf("<p>a</p>")) + 200


def test_without_weasyprint_the_error_says_what_to_install(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(pdf, "import_module", absent)
    with pytest.raises(PluginUnavailableError) as caught:
        report_pdf("<p></p>")
    assert "lesionary[publish]" in caught.value.hint
