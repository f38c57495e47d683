"""Random courses for the tests of uncertainty: any lesions, rows missing, split, merged, new."""

from dataclasses import replace

from hypothesis import strategies as st

from response_rows import marker, new, seen

SIZES = st.one_of(
    st.sampled_from(["5", "9.9", "10", "12", "14.9", "15", "21", "24", "25.2", "26", "30"]),
    st.decimals("0.1", "60", places=1).map(str),
)
WORDS = ("present", "present", "present", "unmeasured", "absent", "too_small", "measured_small",
         "not_evaluable", "missing")  # fmt: skip


@st.composite
def courses(draw, *, max_times=5):
    """Draw one subject's rows by one reader."""
    n_times = draw(st.integers(2, max_times))
    kinds = st.sampled_from(["tumour", "node"])
    rows = []
    for name in draw(st.lists(st.sampled_from("ABC"), unique=True)):
        rows += draw(lesions(name, "target", draw(kinds), n_times))
    for name in draw(st.lists(st.sampled_from("XY"), unique=True)):
        rows += draw(lesions(name, "non-target", draw(kinds), n_times))
    if draw(st.booleans()):
        words = st.sampled_from(["present", "absent", "not_evaluable"])
        rows += [marker(place, draw(words)) for place in range(n_times) if draw(st.booleans())]
    if draw(st.integers(0, 3)) == 0:
        rows += draw(lesions("P", "new", draw(kinds), n_times))
    rows += [new(place, "none", status="absent") for place in range(n_times)]
    if draw(st.booleans()):
        rows = merged(rows, draw(st.integers(1, n_times - 1)))
    return [replace(row, date=seen(0, day=40 * int(row.timepoint)).date) for row in rows]


@st.composite
def lesions(draw, name, role, kind, n_times):
    about = {"role": role, "kind": kind}
    rows = [] if role == "new" else [seen(0, name, draw(SIZES), **about)]
    words = [*WORDS]
    words += ["split"] if kind == "tumour" and role == "target" else []
    words += ["unequivocal_progression"] if role == "non-target" else []
    for place in range(1, n_times):
        word = draw(st.sampled_from(words))
        if word == "present":
            rows.append(seen(place, name, draw(SIZES), **about))
        elif word == "unmeasured":
            rows.append(seen(place, name, **about))
        elif word == "measured_small":
            rows.append(seen(place, name, "3.5", status="too_small", **about))
        elif word == "split":
            rows += [seen(place, name, draw(SIZES), part=part, **about) for part in "ab"]
        elif word != "missing":
            rows.append(seen(place, name, status=word, **about))
    return rows


def merged(rows, since):
    """Let B merge into A from a visit on, where both are targets and A is there to carry it."""
    carried = {row.timepoint for row in rows if row.lesion == "A" and row.diameter_mm}
    return [
        seen(row.timepoint, "B", status="merged", kind=row.kind.value, merged_into="A")
        if row.lesion == "B" and not row.part and int(row.timepoint) >= since
        and row.timepoint in carried
        else row
        for row in rows
    ]  # fmt: skip
