"""What must hold for any table, and the same answers from a second, slow reading of the rules."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from lesionary.core.terms import LesionKind
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria, Response, Role
from response_oracle import Oracle
from response_rows import marker, new, seen

MANY = settings(max_examples=50, deadline=None)
WORSE = {name: place for place, name in enumerate(["CR", "PR", "SD", "NON-CR/NON-PD", "NE", "PD"])}
SIZES = st.one_of(
    st.sampled_from(["5", "9.9", "10", "12", "14.9", "15", "21", "24", "25.2", "26", "30"]),
    st.decimals("0.1", "60", places=1).map(str),
)


@st.composite
def courses(draw, *, has_new=True):
    """Draw one subject's rows by one reader: two to six time points, any lesions, rows missing."""
    n_times = draw(st.integers(2, 6))
    kinds = st.sampled_from(["tumour", "node"])
    rows = []
    for name in draw(st.lists(st.sampled_from("ABC"), unique=True)):
        rows += draw(lesions(name, "target", draw(kinds), n_times))
    for name in draw(st.lists(st.sampled_from("XY"), unique=True)):
        rows += draw(lesions(name, "non-target", draw(kinds), n_times))
    if draw(st.booleans()):
        words = st.sampled_from(["present", "absent", "not_evaluable"])
        rows += [marker(place, draw(words)) for place in range(n_times) if draw(st.booleans())]
    if has_new:
        for name in draw(st.lists(st.sampled_from("PQ"), unique=True)):
            rows += draw(lesions(name, "new", draw(kinds), n_times))
    rows += [new(place, "none", status="absent") for place in range(n_times)]
    return [replace(row, date=seen(0, day=40 * int(row.timepoint)).date) for row in rows]


@st.composite
def lesions(draw, name, role, kind, n_times):
    first = [] if role == "new" else [seen(0, name, draw(SIZES), role=role, kind=kind)]
    words = ["present", "present", "present", "unmeasured", "absent", "too_small",
             "not_evaluable", "missing"]  # fmt: skip
    words += ["split"] if kind == "tumour" and role == "target" else []
    words += ["unequivocal_progression"] if role == "non-target" else []
    rows = []
    for place in range(1, n_times):
        word = draw(st.sampled_from(words))
        about = {"role": role, "kind": kind}
        if word == "present":
            rows.append(seen(place, name, draw(SIZES), **about))
        elif word == "unmeasured":
            rows.append(seen(place, name, **about))
        elif word == "split":
            rows += [seen(place, name, draw(SIZES), part=part, **about) for part in "ab"]
        elif word != "missing":
            rows.append(seen(place, name, status=word, **about))
    return first + rows


def words_of(response):
    return response and response.value


@MANY
@given(courses())
def test_a_slow_reading_of_the_guideline_says_the_same(rows):
    oracle = Oracle(rows)
    for row in respond(rows)[1:]:
        time = int(row.timepoint)
        assert words_of(row.target_response) == oracle.target(time)
        assert words_of(row.non_target_response) == oracle.non_target(time)
        assert row.new_lesion == bool(oracle.new(time))
        assert words_of(row.overall_response) == oracle.overall(time)
        assert row.progressed == (oracle.first_progression(time) is not None)
        assert row.progression_timepoint == oracle.progression_timepoint(time)
        assert words_of(row.best_overall_response) == oracle.best(time)
        if oracle.names("target"):
            assert row.nadir_mm == oracle.nadir(time)
            assert row.sum_mm == oracle.sum(time)


@MANY
@given(courses(), st.randoms(), st.sampled_from(Criteria))
def test_the_order_of_rows_does_not_matter(rows, random, criteria):
    options = ResponseOptions(criteria)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert respond(shuffled, options) == respond(rows, options)


@MANY
@given(courses(), st.integers(1, 5), st.sampled_from(["tumour", "node"]), SIZES)
def test_adding_a_new_lesion_never_improves_a_response(rows, place, kind, size):
    before = respond(rows)
    names = {row.timepoint for row in before}
    place = min(place, max(int(name) for name in names))
    more = new(place, "added", size, kind=kind)
    for one, two in zip(before[1:], respond([*rows, more])[1:], strict=True):
        old, late = (words_of(row.overall_response) for row in (one, two))
        assert old is None or WORSE[late] >= WORSE[old] or place < int(one.timepoint)
        if place < int(one.timepoint) and old is not None and late != old:
            # Only by a complete response that is none any more can the past make a difference.
            assert "CR" in {words_of(row.overall_response) for row in before}
        assert two.progressed >= one.progressed
        best_old, best_new = (
            words_of(one.best_overall_response),
            words_of(two.best_overall_response),
        )
        order = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]
        if best_old is not None and best_old not in {"NE", "PD"}:
            assert order.index(best_new) >= order.index(best_old)


@MANY
@given(courses())
def test_the_nadir_never_rises_and_is_a_sum_that_was(rows):
    found = respond(rows)
    sums = [row.sum_mm for row in found]
    nadirs = [row.nadir_mm for row in found[1:]]
    if None not in nadirs:
        assert nadirs == sorted(nadirs, reverse=True)
        assert all(nadir in sums[: place + 1] for place, nadir in enumerate(nadirs))


@MANY
@given(courses(), st.sampled_from(Criteria))
def test_other_names_change_nothing(rows, criteria):
    options = ResponseOptions(criteria)
    # Names keep their order: it breaks ties among new lesions, and sorts what comes out.
    renamed = [replace(row, subject="9", reader="NA", lesion=f"é{row.lesion}") for row in rows]
    found = [
        replace(row, subject="s", reader="", reason={}, warnings=())
        for row in respond(renamed, options)
    ]
    assert found == [replace(row, reason={}, warnings=()) for row in respond(rows, options)]


@MANY
@given(courses(), courses())
def test_subjects_and_readers_are_judged_apart(first, second):
    first = [replace(row, reader="a") for row in first]
    other_reader = [replace(row, reader="b") for row in second]
    other_subject = [replace(row, subject="t") for row in second]
    together = respond([*first, *other_reader, *other_subject])
    by = {}
    for row in together:
        by.setdefault((row.subject, row.reader), []).append(row)
    assert by["s", "a"] == list(respond(first))
    assert by["s", "b"] == list(respond(other_reader))
    assert by["t", ""] == list(respond(other_subject))


@MANY
@given(courses(has_new=False), st.integers(2, 9))
def test_percentages_do_not_depend_on_the_unit(rows, factor):
    """Sums above 25 mm know no millimetre rule; below, and for nodes, millimetres decide."""
    only_tumours = [
        row
        for row in rows
        if row.role is Role.TARGET
        and row.kind is LesionKind.TUMOUR
        and (row.diameter_mm is not None or row.status.value != "too_small")
    ]
    scaled = [
        replace(row, diameter_mm=None if row.diameter_mm is None else row.diameter_mm * factor)
        for row in only_tumours
    ]
    for one, two in zip(respond(only_tumours), respond(scaled), strict=True):
        assert one.change_from_baseline_percent == two.change_from_baseline_percent
        assert one.change_from_nadir_percent == two.change_from_nadir_percent
        if one.nadir_mm is not None and one.nadir_mm >= 25 and not two.progressed:
            assert one.target_response is two.target_response


@MANY
@given(courses(), st.integers(0, 5), st.sampled_from(Criteria))
def test_a_later_time_point_changes_no_earlier_row(rows, last, criteria):
    options = ResponseOptions(criteria)
    times = sorted({int(row.timepoint) for row in rows})
    last = min(last, times[-1])
    early = [row for row in rows if int(row.timepoint) <= last]
    expected = respond(rows, options)[: times.index(last) + 1]
    assert respond(early, options) == expected


@MANY
@given(courses())
def test_a_response_held_by_targets_ends_only_with_progression(rows):
    held = False
    for row in respond(rows)[1:]:
        if row.target_response is Response.PD:
            held = False
        assert not (held and row.target_response is Response.SD)
        held = held or row.target_response in {Response.PR, Response.CR}


@MANY
@given(courses())
def test_irecist_is_certain_of_no_more_than_recist(rows):
    for row in respond(rows, ResponseOptions(Criteria.IRECIST)):
        assert row.progressed >= row.i_progressed


@MANY
@given(courses())
def test_irecist_confirms_only_after_an_unconfirmed_progression(rows):
    pending = False
    for row in respond(rows, ResponseOptions(Criteria.IRECIST))[1:]:
        word = words_of(row.i_overall_response)
        assert (word in {"iUPD", "iCPD"}) >= (row.overall_response is Response.PD)
        if word == "iCPD":
            assert pending
        pending = word in {"iUPD", "iCPD"} or (pending and word == "NE")


@MANY
@given(courses(), st.sampled_from(Criteria))
def test_every_null_has_its_reason(rows, criteria):
    for row in respond(rows, ResponseOptions(criteria)):
        document = row.to_json(criteria)
        assert set(document["reason"]) == {name for name, one in document.items() if one is None}


@given(st.lists(st.decimals("0.1", "60", places=1), min_size=1, max_size=5))
def test_sums_are_exact(sizes):
    rows = [seen(0, f"L{place}", str(size), organ=f"o{place}") for place, size in enumerate(sizes)]
    assert respond(rows)[0].sum_mm == sum(sizes, Decimal(0))
