from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.identity import canonical_json
from lesionary.io.registry.chain import GENESIS, Break, Draft, Event, Head, breaks, linked

AT, ACTOR = "2020-01-31T10:00:00.000+00:00", "anna"
EMPTY = Head(0, GENESIS, "")
words = st.text(st.characters(codec="utf-8"), max_size=8)
details = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
drafts = st.builds(
    Draft,
    action=st.sampled_from(["added", "done", "failed", "removed"]),
    object=words,
    why=words,
    fact=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
    run_id=st.none() | words,
    details=details,
)


@st.composite
def chains(draw, min_size=1):
    told = draw(st.lists(drafts, min_size=min_size, max_size=8))
    return list(linked(told, EMPTY, at=AT, actor=ACTOR))


def end_of(events):
    return Head(events[-1].seq, events[-1].hash, events[-1].at) if events else EMPTY


def found(events, head):
    return [(one.code, one.seq) for one in breaks(events, head)]


@given(chains(min_size=0))
def test_a_chain_as_it_was_written_holds(events):
    assert found(events, end_of(events)) == []
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


@given(st.lists(drafts, max_size=8), st.data())
def test_written_at_once_or_one_after_the_other_it_is_the_same_chain(told, data):
    cut = data.draw(st.integers(0, len(told)))
    first = list(linked(told[:cut], EMPTY, at=AT, actor=ACTOR))
    rest = list(linked(told[cut:], end_of(first), at=AT, actor=ACTOR))
    assert first + rest == list(linked(told, EMPTY, at=AT, actor=ACTOR))


def other_values(event: Event, name: str):
    """Values that the field could have been changed to."""
    value = getattr(event, name)
    if name == "seq":
        return st.integers(1, 99).filter(lambda other: other != value)
    if name in {"fact", "run_id", "details"}:
        return (st.none() | words).filter(lambda other: other != value)
    return words.filter(lambda other: other != value)


@given(chains(), st.data())
def test_one_changed_field_is_found_where_it_is(events, data):
    place = data.draw(st.integers(0, len(events) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(Event)]))
    value = data.draw(other_values(events[place], name))
    changed = [*events]
    changed[place] = replace(events[place], **{name: value})
    told = list(breaks(changed, end_of(events)))
    assert told
    first = told[0]
    # Numbers may jump at the event itself; all else is said of the very event, but for a hash that
    # was exchanged: the event itself does not give it, and the next one does not follow from it.
    assert first.seq == changed[place].seq
    assert first.code in {"event_changed", "event_removed"}


@given(chains(min_size=2), st.data())
def test_a_removed_event_is_found_at_the_next_one(events, data):
    place = data.draw(st.integers(0, len(events) - 2))
    left = events[:place] + events[place + 1 :]
    assert found(left, end_of(events)) == [("event_removed", place + 2)]


@given(chains(), st.data())
def test_a_cut_off_tail_is_found_at_the_end(events, data):
    n_left = data.draw(st.integers(0, len(events) - 1))
    assert found(events[:n_left], end_of(events)) == [("audit_truncated", len(events))]


@given(chains(min_size=2), st.data())
def test_two_events_that_changed_places_are_found_at_the_first(events, data):
    place = data.draw(st.integers(0, len(events) - 2))
    swapped = [*events]
    swapped[place : place + 2] = [events[place + 1], events[place]]
    assert found(swapped, end_of(events))[0] == ("event_removed", place + 2)


@given(chains(min_size=2), st.data())
def test_contents_that_changed_places_are_found(events, data):
    place = data.draw(st.integers(0, len(events) - 2))
    one, two = events[place], events[place + 1]
    swapped = [*events]
    swapped[place] = replace(two, seq=one.seq)
    swapped[place + 1] = replace(one, seq=two.seq)
    assert found(swapped, end_of(events))[0] == ("event_changed", one.seq)


@given(chains(), drafts, st.data())
def test_an_event_put_in_between_is_found(events, draft, data):
    place = data.draw(st.integers(0, len(events) - 1))
    before = end_of(events[:place])
    (put_in,) = linked([draft], before, at=AT, actor="eve")
    assert found([*events[:place], put_in, *events[place:]], end_of(events))


@given(chains(), drafts)
def test_an_event_put_at_the_end_is_found(events, draft):
    (put_in,) = linked([draft], end_of(events), at=AT, actor="eve")
    assert found([*events, put_in], end_of(events)) == [("audit_truncated", len(events))]


@given(chains(min_size=2), drafts, st.data())
def test_a_rewritten_rest_is_found_by_a_head_kept_elsewhere(events, draft, data):
    place = data.draw(st.integers(0, len(events) - 1))
    forged = list(
        linked([draft] * (len(events) - place), end_of(events[:place]), at=AT, actor="eve")
    )
    rewritten = events[:place] + forged
    assert found(rewritten, end_of(rewritten)) == []  # its own head believes it
    assert found(rewritten, end_of(events)) == [("audit_truncated", len(events))]


def test_no_events_are_a_chain_and_their_head_is_the_beginning():
    assert list(breaks([], EMPTY)) == []
    assert list(linked([], EMPTY, at=AT, actor=ACTOR)) == []


def test_a_break_says_what_is_gone():
    events = list(linked([Draft("added", "a")] * 4, EMPTY, at=AT, actor=ACTOR))
    assert list(breaks([events[0], events[3]], end_of(events))) == [
        Break(4, "event_removed", "2 events before it are gone")
    ]


@given(chains())
def test_details_are_stored_as_canonical_json(events):
    import json

    for event in events:
        if event.details is not None:
            assert event.details == canonical_json(json.loads(event.details)).decode()
