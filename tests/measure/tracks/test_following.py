import numpy as np
import pytest

from lesion_balls import grid, still, visit
from lesionary.core.errors import InputError
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.records import COLUMNS, Place, Relation, TrackStatus
from lesionary.measure.tracks.registration import RegistrationKind, Transform
from lesionary.measure.tracks.weaving import SEEN_AGAIN, Member, track_name, track_number

LIVER, LUNG, OTHER = (0, 0, 0), (60, 60, 90), (-80, -70, -60)


def followed(*timepoints):
    return follow(timepoints, still(*timepoints))


def statuses(tracks, name):
    return [visit.status.value for visit in tracks.visits if visit.track == name]


def test_tracks_are_named_in_order_of_the_lesions_and_of_time():
    tracks = followed(
        visit("0", [(LIVER, 20, "m,liver"), (LUNG, 12, "m,lung")]),
        visit("1", [(OTHER, 9, "m,liver"), (LUNG, 14, "m,lung"), (LIVER, 18, "m,liver")]),
    )
    assert tracks.names == ("A", "B", "C")
    assert tracks.members[Place("1", "ct", 1)] == Member("C")
    assert tracks.members[Place("1", "ct", 2)] == Member("B")
    assert tracks.members[Place("1", "ct", 3)] == Member("A")


def test_after_z_comes_aa():
    assert [track_name(n) for n in (0, 1, 25, 26, 27, 51, 52)] == [
        "A",
        "B",
        "Z",
        "AA",
        "AB",
        "AZ",
        "BA",
    ]
    assert [track_number(track_name(n)) for n in range(1000)] == list(range(1000))


def test_a_baseline_alone_has_tracks_and_no_links():
    tracks = followed(visit("0", [(LIVER, 20, "m,liver")]))
    assert tracks.names == ("A",)
    assert tracks.links == ()


def test_a_subject_without_lesions_has_no_tracks():
    tracks = followed(visit("0", []), visit("1", []))
    assert (tracks.names, tracks.links, tracks.visits) == ((), (), ())


def test_a_lesion_that_reappears_keeps_its_track():
    tracks = followed(
        visit("0", [(LIVER, 20, "m,liver")]),
        visit("1", []),
        visit("2", []),
        visit("3", [(LIVER, 12, "m,liver")]),
    )
    assert tracks.names == ("A",)
    assert statuses(tracks, "A") == ["present", "absent", "absent", "present"]
    back = tracks.links[-1]
    assert (back.from_place.timepoint, back.to_place.timepoint) == ("0", "3")
    assert (back.relation, back.note) == (Relation.SAME, SEEN_AGAIN)


def test_gone_is_said_again_at_each_time_point_from_where_the_lesion_was_last_seen():
    tracks = followed(
        visit("0", [(LIVER, 20, "m,liver")]),
        visit("1", [(LIVER, 10, "m,liver")]),
        visit("2", []),
        visit("3", []),
    )
    gone = [link for link in tracks.links if link.relation is Relation.GONE]
    assert [(link.from_place.timepoint, link.to_place.timepoint) for link in gone] == [
        ("1", "2"),
        ("1", "3"),
    ]


def test_a_place_that_was_not_scanned_is_not_evaluable_then():
    chest = grid(low=(-150, -150, 40))
    tracks = followed(
        visit("0", [(LIVER, 20, "m,liver"), (LUNG, 12, "m,lung")]),
        visit("1", [(LUNG, 12, "m,lung")], geometry=chest),
        visit("2", [(LIVER, 22, "m,liver"), (LUNG, 12, "m,lung")]),
    )
    assert tracks.names == ("A", "B")
    assert statuses(tracks, "A") == ["present", "not_evaluable", "present"]


def test_what_is_nearer_in_time_comes_first():
    """A lesion that is new beside a lost one, then both: each keeps its own."""
    tracks = followed(
        visit("0", [((0, 0, 0), 10, "m,lung")]),
        visit("1", [((40, 0, 0), 10, "m,lung")]),
        visit("2", [((40, 0, 0), 10, "m,lung"), ((0, 0, 0), 10, "m,lung")]),
    )
    assert tracks.members[Place("2", "ct", 1)].track == "B"
    assert tracks.members[Place("2", "ct", 2)].track == "A"


def test_parts_of_a_split_share_a_track_and_keep_their_parts():
    whole = [(LIVER, 36, "m,liver")]
    two = [((-12, 0, 0), 14, "m,liver"), ((12, 0, 0), 12, "m,liver")]
    tracks = followed(visit("0", whole), visit("1", two), visit("2", two[::-1]))
    assert tracks.names == ("A",)
    assert tracks.members[Place("1", "ct", 1)] == Member("A", "1")
    assert tracks.members[Place("2", "ct", 2)] == Member("A", "1")
    assert tracks.members[Place("2", "ct", 1)] == Member("A", "2")
    assert [link.relation for link in tracks.links] == [Relation.SPLIT] * 2 + [Relation.SAME] * 2
    assert [len(visit.places) for visit in tracks.visits] == [1, 2, 2]


def test_parts_that_join_again_are_whole():
    two = [((-12, 0, 0), 14, "m,liver"), ((12, 0, 0), 12, "m,liver")]
    one = [(LIVER, 36, "m,liver")]
    tracks = followed(visit("0", one), visit("1", two), visit("2", one))
    assert tracks.members[Place("2", "ct", 1)] == Member("A")
    assert {link.relation for link in tracks.links[2:]} == {Relation.MERGE}


def test_one_part_may_go_while_the_other_stays():
    two = [((-12, 0, 0), 14, "m,liver"), ((12, 0, 0), 12, "m,liver")]
    tracks = followed(visit("0", [(LIVER, 36, "m,liver")]), visit("1", two), visit("2", two[:1]))
    assert statuses(tracks, "A") == ["present"] * 3
    (gone,) = (link for link in tracks.links if link.relation is Relation.GONE)
    assert (gone.track, gone.from_part) == ("A", "2")


def test_of_merging_tracks_the_one_named_first_carries_on():
    two = [((-12, 0, 0), 14, "m,liver"), ((12, 0, 0), 16, "m,liver")]
    one = [(LIVER, 40, "m,liver")]
    tracks = followed(visit("0", two), visit("1", one), visit("2", one), visit("3", []))
    merge = [link for link in tracks.links if link.relation is Relation.MERGE]
    assert [(link.track, link.merged_into) for link in merge] == [("A", ""), ("B", "A")]
    assert merge[1].status is TrackStatus.MERGED
    assert statuses(tracks, "A") == ["present", "present", "present", "absent"]
    assert statuses(tracks, "B") == ["present", "merged", "merged", "merged"]
    assert {visit.merged_into for visit in tracks.visits if visit.status == "merged"} == {"A"}


def test_transforms_over_a_gap_are_composed_and_take_the_worst_kind():
    up = np.eye(4)
    up[2, 3] = 50.0
    first = visit("0", [((0, 0, -50), 14, "m,liver")])
    tracks = follow(
        (first, visit("1", []), visit("2", [((0, 0, 50), 14, "m,liver")])),
        {
            ("0", "1"): Transform(up),
            ("1", "2"): Transform(up, RegistrationKind.BODY_CENTRE, 0.2, "likeness is poor"),
        },
    )
    assert tracks.names == ("A",)
    assert tracks.links[-1].registration is RegistrationKind.BODY_CENTRE


def test_a_direct_transform_is_preferred():
    far = np.eye(4)
    far[0, 3] = 100.0
    timepoints = (
        visit("0", [((-50, 0, 0), 14, "m,liver")]),
        visit("1", []),
        visit("2", [((50, 0, 0), 14, "m,liver")]),
    )
    tracks = follow(timepoints, {**still(*timepoints), ("0", "2"): Transform(far)})
    assert tracks.names == ("A",)


def test_new_lesions_say_between_which_time_points_they_came():
    tracks = followed(visit("0", []), visit("1", [(LIVER, 12, "m,liver")]))
    (link,) = tracks.links
    assert link.relation is Relation.NEW
    assert link.from_place == Place("0", "ct", None)
    assert link.to_place == Place("1", "ct", 1)


def test_rows_have_the_columns_of_the_contract():
    tracks = followed(visit("0", [(LIVER, 12, "m,liver")]), visit("1", []))
    row = tracks.links[0].to_row()
    assert tuple(row)[: len(COLUMNS)] == COLUMNS
    assert row["from_lesion"] == 1
    assert row["to_lesion"] is None
    assert row["relation"] == "gone"
    assert row["state"] == "proposed"


def test_json_gives_a_reason_for_every_null():
    timepoints = (
        visit("0", [(LIVER, 12, "m,liver"), (OTHER, 9, "m,liver")]),
        visit("1", [(LUNG, 12, "m,lung"), (LIVER, 12, "m,liver")]),
    )
    for link in followed(*timepoints).links:
        row = link.to_json()
        flat = {**row, **{f"{end}.lesion": row[end]["lesion"] for end in ("from", "to")}}
        nulls = {name for name, value in flat.items() if value is None}
        assert nulls == set(row.get("reason", {}))


@pytest.mark.parametrize(
    ("timepoints", "message"),
    [
        ((), "no time point"),
        ((visit("0", []), visit("0", [])), "same name"),
        ((visit("0", []), visit("1", [], subject="t")), "one subject"),
    ],
    ids=["none", "twice", "two subjects"],
)
def test_what_is_no_course_is_refused(timepoints, message):
    with pytest.raises(InputError, match=message):
        follow(timepoints, still(*timepoints))


def test_a_missing_transform_is_refused():
    with pytest.raises(InputError, match="no transform"):
        follow((visit("0", []), visit("1", [])), {})
