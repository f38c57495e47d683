"""From tracks to observations: roles, statuses, parts, mergers, and each reader apart."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesion_balls import still, visit
from lesionary.core.terms import kind_of_text
from lesionary.measure.observing import observe
from lesionary.measure.response.judging import respond
from lesionary.measure.response.records import Response, Role, Status
from lesionary.measure.seen import ScanFacts, SeenLesion, recorded_mm
from lesionary.measure.tracks.following import follow

LIVER, LUNG, FAR, NODE = (0, 0, 0), (60, 60, 90), (-80, -70, -60), (0, -90, 100)
BASELINE = date(2020, 1, 1)


def seen_by(*timepoints, reader="", diameters=None, roles=None):
    """Follow the lesions of one series a time point and observe them."""
    tracks = follow(timepoints, still(*timepoints))
    lesions, scans = {}, {}
    for n, timepoint in enumerate(timepoints):
        name = timepoint.views[0].series
        for lesion in timepoint.lesions:
            size = (diameters or {}).get(lesion.place, lesion.diameter_mm)
            lesions[lesion.place] = SeenLesion(
                lesion.label, kind_of_text(lesion.label), size, reader
            )
        scans[name] = ScanFacts(
            timepoint.timepoint,
            BASELINE + timedelta(days=56 * n),
            "CT",
            Decimal("2.5"),
            frozenset({reader}) if timepoint.views[0].has_mask else frozenset(),
        )
    return observe(tracks, lesions, scans, roles=roles)


def scan(number, balls, **options):
    return visit(str(number), balls, series=f"ct{number}", **options)


def table(observed, *columns):
    return [tuple(getattr(one, name) for name in columns) for one in observed.observations]


def test_the_largest_are_targets_small_ones_non_targets_later_ones_new():
    observed = seen_by(
        scan(0, [(LIVER, 24, "m,liver"), (LUNG, 8, "m,lung")]),
        scan(1, [(LIVER, 20, "m,liver"), (LUNG, 8, "m,lung"), (FAR, 12, "m,liver")]),
    )
    assert [(one.track, one.role) for one in observed.roles] == [
        ("A", Role.TARGET),
        ("B", Role.NON_TARGET),
        ("C", Role.NEW),
    ]
    assert table(observed, "lesion", "timepoint", "role", "organ") == [
        ("A", "0", Role.TARGET, "liver"),
        ("A", "1", Role.TARGET, "liver"),
        ("B", "0", Role.NON_TARGET, "lung"),
        ("B", "1", Role.NON_TARGET, "lung"),
        ("C", "0", Role.NEW, "liver"),
        ("C", "1", Role.NEW, "liver"),
    ]


def test_what_is_gone_is_absent_where_it_was_looked_for_else_not_evaluable():
    first = scan(0, [(LIVER, 24, "m,liver")])
    looked = seen_by(first, scan(1, []))
    unseen = seen_by(first, scan(1, [], has_mask=False), scan(2, [(LIVER, 20, "m,liver")]))
    assert table(looked, "timepoint", "status")[-1] == ("1", Status.ABSENT)
    assert table(unseen, "timepoint", "status") == [("0", Status.PRESENT), ("2", Status.PRESENT)]


def test_a_split_lesion_has_parts_and_their_axes_add():
    halves = [((-14, 0, 0), 16, "m,liver"), ((14, 0, 0), 15, "m,liver")]
    observed = seen_by(scan(0, [(LIVER, 48, "m,liver")]), scan(1, halves))
    later = [one for one in observed.observations if one.timepoint == "1"]
    assert [one.part for one in later] == ["1", "2"]
    assert {one.lesion for one in later} == {"A"}
    [_, response] = respond(observed.observations)
    assert response.sum_mm == sum(one.diameter_mm for one in later)


def test_merged_lesions_have_one_axis_carried_by_a_target():
    apart = [((-14, 0, 0), 9, "m,liver"), ((14, 0, 0), 22, "m,liver")]
    observed = seen_by(scan(0, apart), scan(1, [(LIVER, 48, "m,liver")]))
    assert {one.track: one.role for one in observed.roles} == {
        "A": Role.NON_TARGET,
        "B": Role.TARGET,
    }
    later = {one.lesion: one for one in observed.observations if one.timepoint == "1"}
    assert (later["A"].status, later["A"].merged_into) == (Status.MERGED, "B")
    assert later["B"].diameter_mm == 48
    assert [one.sum_mm for one in respond(observed.observations)] == [22, 48]


def test_merged_lesions_that_are_gone_are_all_gone():
    apart = [((-14, 0, 0), 20, "m,liver"), ((14, 0, 0), 22, "m,liver")]
    observed = seen_by(scan(0, apart), scan(1, [(LIVER, 48, "m,liver")]), scan(2, []))
    last = {one.lesion: one.status for one in observed.observations if one.timepoint == "2"}
    assert last == {"A": Status.ABSENT, "B": Status.ABSENT}
    assert respond(observed.observations)[-1].overall_response is Response.CR


def test_a_normal_node_is_no_lesion_until_it_is_enlarged():
    nodes = [[(NODE, mm, "n,mediastinum")] for mm in (8, 9, 16)]
    liver = (LIVER, 24, "m,liver")
    observed = seen_by(*(scan(n, [liver, *node]) for n, node in enumerate(nodes)))
    assert [one.role for one in observed.roles] == [Role.TARGET, Role.NEW]
    assert [one.status for one in observed.observations if one.lesion == "B"] == [
        Status.ABSENT,
        Status.ABSENT,
        Status.PRESENT,
    ]
    quiet = seen_by(*(scan(n, [liver, nodes[0][0]]) for n in range(3)))
    assert {one.lesion for one in quiet.observations} == {"A"}


def test_a_reader_s_word_on_a_role_goes_before_the_proposal_but_not_before_time():
    timepoints = (
        scan(0, [(LIVER, 24, "m,liver"), (LUNG, 18, "m,lung")]),
        scan(1, [(LIVER, 20, "m,liver"), (LUNG, 18, "m,lung"), (FAR, 12, "m,liver")]),
    )
    said = {("", "A"): Role.NON_TARGET, ("", "C"): Role.TARGET}
    observed = seen_by(*timepoints, roles=said)
    assert [one.role for one in observed.roles] == [Role.NON_TARGET, Role.TARGET, Role.NEW]


def test_readers_are_observed_apart_under_common_names():
    first, second = (
        seen_by(scan(0, [(LIVER, mm, "m,liver")]), scan(1, []), reader=name)
        for name, mm in (("anna", 24), ("ben", 22))
    )
    assert {one.reader for one in first.observations} == {"anna"}
    assert {one.reader for one in second.observations} == {"ben"}
    assert {one.lesion for one in (*first.observations, *second.observations)} == {"A"}


def test_a_lesion_without_a_diameter_is_there_and_no_target():
    first = scan(0, [(LIVER, 24, "m,liver")])
    observed = seen_by(first, diameters={first.lesions[0].place: None})
    [one] = observed.observations
    assert (one.role, one.status, one.diameter_mm) == (Role.NON_TARGET, Status.PRESENT, None)


@pytest.mark.parametrize(
    ("measured_mm", "precision", "recorded"),
    [(12.25, "0.1", "12.3"), (12.25, "1", "12"), (12.5, "1", "13"), (12.3, "0.5", "12.5")],
)
def test_diameters_are_rounded_half_up_as_they_are_recorded(measured_mm, precision, recorded):
    assert recorded_mm(measured_mm, Decimal(precision)) == Decimal(recorded)


balls = st.lists(
    st.tuples(
        st.sampled_from([LIVER, LUNG, FAR, NODE]),
        st.floats(6, 40),
        st.sampled_from(["m,liver", "m,lung", "n,mediastinum", "t,lung", "lesion"]),
    ),
    max_size=4,
    unique_by=lambda one: one[0],
)


@given(st.lists(balls, min_size=1, max_size=4))
def test_what_is_observed_can_always_be_judged(visits):
    observed = seen_by(*(scan(n, lesions) for n, lesions in enumerate(visits)))
    judged = respond(observed.observations)
    assert len(judged) in {0, len(visits)}
    again = seen_by(*(scan(n, lesions) for n, lesions in enumerate(visits)))
    assert again == observed
    roles = {one.track: one.role for one in observed.roles}
    assert all(one.role is roles[one.lesion] for one in observed.observations)


def test_the_order_in_which_lesions_were_numbered_changes_no_response():
    lesions = [(LIVER, 24, "m,liver"), (LUNG, 18, "m,lung"), (FAR, 14, "m,liver")]
    later = [(place, mm * 0.6, label) for place, mm, label in lesions]
    first = seen_by(scan(0, lesions), scan(1, later))
    second = seen_by(scan(0, lesions[::-1]), scan(1, later))
    judged = [
        [replace(one, warnings=()) for one in respond(o.observations)] for o in (first, second)
    ]
    assert judged[0] == judged[1]
