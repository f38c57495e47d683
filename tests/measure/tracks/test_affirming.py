from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion_balls import still, visit
from lesionary.core.errors import InputError, WorkflowError
from lesionary.measure.tracks.affirming import Decision, Verdict, affirm, tracking
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.records import LinkState, Place, Relation, TrackStatus
from lesionary.measure.tracks.weaving import Member

LIVER, LUNG, OTHER = (0, 0, 0), (60, 60, 90), (-80, -70, -60)


def at(timepoint, lesion=None):
    return Place(str(timepoint), "ct", lesion)


@pytest.fixture
def tracks():
    """A grows, B is gone at 1, C is new there and stays."""
    timepoints = (
        visit("0", [(LIVER, 20, "m,liver"), (OTHER, 12, "m,liver")]),
        visit("1", [(LIVER, 24, "m,liver"), (LUNG, 12, "m,lung")]),
        visit("2", [(LIVER, 28, "m,liver"), (LUNG, 14, "m,lung")]),
    )
    return follow(timepoints, still(*timepoints))


def link_of(tracks, *key):
    return next(link for link in tracks.links if link.key == key)


def accept(*key):
    return Decision(Verdict.AFFIRM, *key, "r1")


def test_nothing_has_an_identity_before_a_reader_affirms(tracks):
    assert tracking(tracks, "study") == {}
    assert {link.state for link in tracks.links} == {LinkState.PROPOSED}


def test_an_affirmed_link_bears_its_reader_and_nothing_else_changes(tracks):
    after = affirm(tracks, [accept(at(0, 1), at(1, 1))])
    link = link_of(after, at(0, 1), at(1, 1))
    assert (link.state, link.reader) == (LinkState.AFFIRMED, "r1")
    assert after.members == tracks.members
    assert after.visits == tracks.visits
    assert [other.key for other in after.links] == [other.key for other in tracks.links]
    assert sum(other.state is LinkState.AFFIRMED for other in after.links) == 1


def test_both_ends_of_an_affirmed_link_get_one_identity(tracks):
    found = tracking(affirm(tracks, [accept(at(0, 1), at(1, 1))]), "study")
    assert set(found) == {at(0, 1), at(1, 1)}
    one, two = found.values()
    assert one == two
    assert one.tracking_id == "s A"
    assert one.tracking_uid.startswith("2.25.")
    assert len(one.tracking_uid) <= 64


def test_identities_derive_from_study_subject_and_track(tracks):
    everything = [accept(*link.key) for link in tracks.links]
    here, there = (tracking(affirm(tracks, everything), key) for key in ("one", "two"))
    assert here == tracking(affirm(tracks, everything), "one")
    assert {t.tracking_uid for t in here.values()}.isdisjoint(
        t.tracking_uid for t in there.values()
    )
    assert len({t.tracking_uid for t in here.values()}) == 3


def test_a_rejected_link_leaves_one_gone_and_one_new(tracks):
    after = affirm(tracks, [Decision(Verdict.REJECT, at(0, 1), at(1, 1), "r1")])
    gone = link_of(after, at(0, 1), at(1))
    new = link_of(after, at(0), at(1, 1))
    assert (gone.relation, gone.status) == (Relation.GONE, TrackStatus.ABSENT)
    assert new.relation is Relation.NEW
    assert {gone.reader, new.reader} == {"r1"}
    assert after.members[at(0, 1)] == Member("A")
    assert after.members[at(1, 1)] == after.members[at(2, 1)] == Member("D")


def test_what_a_reader_rejects_is_proposed_as_absent_from_then_on(tracks):
    after = affirm(tracks, [Decision(Verdict.REJECT, at(0, 1), at(1, 1), "r1")])
    assert [v.status.value for v in after.visits if v.track == "A"] == [
        "present",
        "absent",
        "absent",
    ]
    assert link_of(after, at(0, 1), at(2)).state is LinkState.PROPOSED


def test_relinking_over_a_gap_leaves_the_lesion_gone_in_between(tracks):
    after = affirm(
        tracks,
        [
            Decision(Verdict.REJECT, at(1, 2), at(2, 2), "r1"),
            Decision(Verdict.RELINK, at(0, 2), at(1), "r1", (at(2, 2),)),
        ],
    )
    assert [v.status.value for v in after.visits if v.track == "B"] == [
        "present",
        "absent",
        "present",
    ]
    assert link_of(after, at(0, 2), at(1)).state is LinkState.AFFIRMED


def test_relinking_moves_a_track_and_all_that_follows(tracks):
    """The reader says that B became what was proposed as the new C."""
    after = affirm(tracks, [Decision(Verdict.RELINK, at(0, 2), at(1), "r1", (at(1, 2),))])
    assert [link.relation for link in after.links if link.from_place == at(0, 2)] == [Relation.SAME]
    assert not any(link.relation is Relation.NEW for link in after.links)
    assert after.members[at(1, 2)] == after.members[at(2, 2)] == Member("B")
    assert after.names == ("A", "B")


def test_a_new_lesion_is_relinked_to_the_earlier_one_that_it_is(tracks):
    after = affirm(tracks, [Decision(Verdict.RELINK, at(0), at(1, 2), "r1", (at(0, 2),))])
    assert after.members[at(1, 2)] == Member("B")
    assert not any(link.relation is Relation.GONE for link in after.links)


def test_two_swapped_links_are_put_right(tracks):
    swapped = affirm(
        tracks,
        [
            Decision(Verdict.RELINK, at(1, 1), at(2, 1), "r1", (at(2, 2),)),
            Decision(Verdict.RELINK, at(1, 2), at(2, 2), "r1", (at(2, 1),)),
        ],
    )
    assert swapped.members[at(2, 2)].track == "A"
    assert swapped.members[at(2, 1)].track == "C"
    joined = [link for link in swapped.links if link.is_joining]
    assert {link.relation for link in joined} == {Relation.SAME}
    assert not any(
        link.relation in {Relation.GONE, Relation.NEW} and link.to_place.timepoint == "2"
        for link in swapped.links
        if link.track != "B"
    )


def test_a_split_takes_up_a_lesion_that_was_thought_new(tracks):
    after = affirm(tracks, [Decision(Verdict.SPLIT, at(0, 1), at(1, 1), "r1", (at(1, 2),))])
    parts = {after.members[at(1, n)] for n in (1, 2)}
    assert parts == {Member("A", "1"), Member("A", "2")}
    assert {after.members[at(2, n)] for n in (1, 2)} == parts
    split = [link for link in after.links if link.relation is Relation.SPLIT]
    assert [link.reader for link in split] == ["r1", "r1"]
    assert after.names == ("A", "B")


def test_doubting_that_a_lesion_is_gone_makes_it_not_evaluable(tracks):
    after = affirm(tracks, [Decision(Verdict.REJECT, at(0, 2), at(1), "r1")])
    assert [v.status for v in after.visits if v.track == "B"][1] is TrackStatus.NOT_EVALUABLE


def test_a_new_lesion_cannot_be_rejected(tracks):
    with pytest.raises(InputError, match="came from somewhere"):
        affirm(tracks, [Decision(Verdict.REJECT, at(0), at(1, 2), "r1")])


def test_a_decision_on_no_link_is_refused(tracks):
    with pytest.raises(WorkflowError) as caught:
        affirm(tracks, [accept(at(0, 1), at(1, 2))])
    assert caught.value.code == "no_such_link"


def test_a_decision_on_a_link_that_an_earlier_one_took_away_is_refused(tracks):
    with pytest.raises(WorkflowError):
        affirm(
            tracks,
            [Decision(Verdict.REJECT, at(0, 1), at(1, 1), "r1"), accept(at(0, 1), at(1, 1))],
        )


def test_links_lead_forwards_in_time(tracks):
    with pytest.raises(InputError, match="earlier"):
        affirm(tracks, [Decision(Verdict.RELINK, at(1, 1), at(2, 1), "r1", (at(0, 2),))])


def test_a_lesion_that_is_not_there_cannot_be_linked_to(tracks):
    with pytest.raises(InputError, match="does not have"):
        affirm(tracks, [Decision(Verdict.RELINK, at(1, 1), at(2, 1), "r1", (at(2, 9),))])


@pytest.mark.parametrize(
    ("verdict", "reader", "to"),
    [
        (Verdict.AFFIRM, "", ()),
        (Verdict.AFFIRM, "r1", (at(1, 1),)),
        (Verdict.REJECT, "r1", (at(1, 1),)),
        (Verdict.RELINK, "r1", ()),
        (Verdict.RELINK, "r1", (at(1, 1), at(1, 2))),
        (Verdict.RELINK, "r1", (at(1),)),
        (Verdict.SPLIT, "r1", ()),
    ],
)
def test_a_decision_that_says_nothing_clear_is_refused(verdict, reader, to):
    with pytest.raises(InputError):
        Decision(verdict, at(0, 1), at(1, 1), reader, to)


def test_the_last_reader_counts(tracks):
    second = Decision(Verdict.AFFIRM, at(0, 1), at(1, 1), "r2")
    after = affirm(tracks, [accept(at(0, 1), at(1, 1)), second])
    assert link_of(after, at(0, 1), at(1, 1)).reader == "r2"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_links_stay_a_forest_whatever_readers_decide(data):
    """Every lesion keeps exactly one track, and every link runs within its track or a merger."""
    timepoints = [
        visit(str(t), [(LIVER, 20, "m,liver"), (OTHER, 12, "m,liver"), (LUNG, 9, "m,lung")])
        for t in range(3)
    ]
    tracks = follow(timepoints, still(*timepoints))
    for _ in range(data.draw(st.integers(1, 4))):
        link = data.draw(st.sampled_from(tracks.links))
        verdict = data.draw(st.sampled_from(list(Verdict)))
        n = {Verdict.RELINK: 1, Verdict.SPLIT: 1}.get(verdict, 0)
        spots = [at(t, lesion) for t, lesion in product(range(3), (1, 2, 3))]
        to = tuple(data.draw(st.sampled_from(spots)) for _ in range(n))
        try:
            tracks = affirm(tracks, [Decision(verdict, *link.key, "r1", to)])
        except InputError:
            continue
    assert set(tracks.places) == set(spots)
    for link in tracks.links:
        if link.is_joining:
            before, after = tracks.members[link.from_place], tracks.members[link.to_place]
            assert link.track == before.track
            assert (link.merged_into or link.track) == after.track
    for place in spots[3:]:
        ends = [link for link in tracks.links if link.to_place == place]
        assert ends, "every later lesion is linked or new"
        assert len({link.relation is Relation.NEW for link in ends}) == 1
