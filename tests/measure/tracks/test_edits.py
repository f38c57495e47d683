import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesion_balls import still, visit
from lesionary.measure.tracks.affirming import Verdict, affirm
from lesionary.measure.tracks.edits import CONTRADICTED, LinkRow, decisions_of
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.records import LinkState, Place, Relation

LIVER, LUNG, BONE = (0, 0, 0), (60, 60, 90), (-80, -70, -60)


@pytest.fixture(scope="module")
def tracks():
    """A stays, B vanishes, C comes."""
    points = (
        visit("0", [(LIVER, 20, "m,liver"), (LUNG, 12, "m,lung")]),
        visit("1", [(LIVER, 18, "m,liver"), (BONE, 9, "m,bone")]),
        visit("2", [(LIVER, 18, "m,liver"), (BONE, 10, "m,bone")]),
    )
    return follow(points, still(*points))


def row_of(link, line=2):
    return LinkRow(line, link.from_place, link.to_place, link.relation.value, link.status.value)


def rows_of(tracks):
    return [row_of(link, line) for line, link in enumerate(tracks.links, start=2)]


def at(timepoint, lesion=None):
    return Place(str(timepoint), "ct", lesion)


def verdicts(found):
    return sorted(one.decision.verdict.value for one in found)


def the(tracks, relation):
    return next(link for link in tracks.links if link.relation is relation)


def test_rows_as_they_were_are_affirmed_whatever_their_order(tracks):
    found, faults = decisions_of(tracks, rows_of(tracks)[::-1], "ben")
    assert faults == []
    assert verdicts(found) == ["affirm"] * len(tracks.links)
    after = affirm(tracks, [one.decision for one in found])
    assert {(link.state, link.reader) for link in after.links} == {(LinkState.AFFIRMED, "ben")}
    assert after.members == tracks.members
    assert decisions_of(after, rows_of(after), "cleo") == ([], [])


@given(chosen=st.sets(st.integers(0, 20)))
def test_links_without_a_row_are_not_decided(tracks, chosen):
    rows = [row for n, row in enumerate(rows_of(tracks)) if n in chosen]
    found, faults = decisions_of(tracks, rows, "ben")
    assert faults == []
    after = affirm(tracks, [one.decision for one in found])
    assert sum(link.state is LinkState.AFFIRMED for link in after.links) == len(rows)


def test_a_row_that_leads_elsewhere_relinks(tracks):
    gone, new = the(tracks, Relation.GONE), the(tracks, Relation.NEW)
    kept = [row_of(link) for link in tracks.links
            if gone.from_place != link.from_place and link != new]  # fmt: skip
    edited = LinkRow(9, gone.from_place, new.to_place, "same")
    found, faults = decisions_of(tracks, [*kept, edited], "ben")
    assert faults == []
    assert verdicts(found).count("relink") == 1
    after = affirm(tracks, [one.decision for one in found])
    assert after.members[new.to_place].track == after.members[gone.from_place].track


def test_an_emptied_lesion_is_gone_and_its_successor_new(tracks):
    (same,) = [link for link in tracks.links if link.from_place == at(0, 1)]
    found, faults = decisions_of(tracks, [LinkRow(2, at(0, 1), at(1), "gone")], "ben")
    assert (faults, verdicts(found)) == ([], ["reject"])
    after = affirm(tracks, [one.decision for one in found])
    assert after.members[same.to_place].track != after.members[at(0, 1)].track
    both = [LinkRow(2, at(0, 1), at(1), "gone"), LinkRow(3, at(0), same.to_place, "new")]
    assert verdicts(decisions_of(tracks, both, "ben")[0]) == ["reject"]


def test_one_more_row_from_a_lesion_is_a_split(tracks):
    same, new = the(tracks, Relation.SAME), the(tracks, Relation.NEW)
    rows = [row_of(same), LinkRow(3, same.from_place, new.to_place, "split")]
    found, faults = decisions_of(tracks, rows, "ben")
    assert faults == []
    assert Verdict.SPLIT in {one.decision.verdict for one in found}
    after = affirm(tracks, [one.decision for one in found])
    parts = {after.members[place].part for place in (same.to_place, new.to_place)}
    assert parts == {"1", "2"}


def test_who_takes_a_lesion_takes_it_from_the_link_that_had_it(tracks):
    gone, same = the(tracks, Relation.GONE), the(tracks, Relation.SAME)
    assert gone.to_place.timepoint == same.to_place.timepoint == "1"
    row = LinkRow(4, gone.from_place, same.to_place, "same")
    found, faults = decisions_of(tracks, [row], "ben")
    assert (faults, verdicts(found)) == ([], ["reject", "relink"])
    after = affirm(tracks, [one.decision for one in found])
    assert after.members[same.to_place].track == after.members[gone.from_place].track
    assert after.members[same.from_place].track != after.members[same.to_place].track


def test_what_is_gone_may_be_out_of_sight_instead(tracks):
    gone = the(tracks, Relation.GONE)
    row = LinkRow(2, gone.from_place, gone.to_place, "gone", "not_evaluable")
    found, faults = decisions_of(tracks, [row], "ben")
    assert (faults, verdicts(found)) == ([], ["reject"])


@pytest.mark.parametrize(
    "row",
    [
        LinkRow(2, at(0, 1), at(1, 7)),
        LinkRow(2, at(0, 7), at(1, 1)),
        LinkRow(2, at(0, 1), at(9, 1)),
        LinkRow(2, at(1, 1), at(0, 1)),
        LinkRow(2, at(0), at(1)),
        LinkRow(2, at(0, 1), at(1, 1), "gone"),
        LinkRow(2, at(0, 1), at(1), "same"),
        LinkRow(2, at(0, 1), at(1, 1), "became"),
        LinkRow(2, at(0, 2), at(1), "gone", "present"),
        LinkRow(2, at(0, 1), at(2, 2), "same"),
    ],
)
def test_a_row_that_cannot_be_is_named_by_its_line(tracks, row):
    _, faults = decisions_of(tracks, [row], "ben")
    assert [fault.row for fault in faults] == [2]
    assert faults[0].reason


def test_rows_that_contradict_each_other_are_named(tracks):
    gone, new = the(tracks, Relation.GONE), the(tracks, Relation.NEW)
    edited = LinkRow(9, gone.from_place, new.to_place, "same")
    _, faults = decisions_of(tracks, [edited, row_of(new, 10)], "ben")
    assert [(fault.row, fault.reason) for fault in faults] == [(10, CONTRADICTED)]
    _, faults = decisions_of(tracks, [row_of(new, 3), row_of(new, 4)], "ben")
    assert [fault.row for fault in faults] == [4]
