"""Response by volume, beside RECIST."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.measure.response.records import Response
from lesionary.measure.volumetric import volumetric_response


def judged(*totals_ml):
    names = [str(n) for n in range(len(totals_ml))]
    volumes = [[ml] for ml in totals_ml]
    return [one.response for one in volumetric_response(names, volumes)]


@pytest.mark.parametrize(
    ("totals_ml", "expected"),
    [
        ((10, 3.5), [None, Response.SD]),
        ((10, 3.43), [None, Response.PR]),
        ((10, 17.2), [None, Response.SD]),
        ((10, 17.28), [None, Response.PD]),
        ((10, 2, 3, 3.4), [None, Response.PR, Response.PR, Response.PR]),
        ((10, 2, 3, 3.6), [None, Response.PR, Response.PR, Response.PD]),
        ((10, 0, 0.1), [None, Response.CR, Response.PD]),
        ((10, None, 3), [None, Response.NE, Response.PR]),
        ((10, 3, None, 4), [None, Response.PR, Response.NE, Response.PR]),
        ((None, 3, 9), [None, Response.NE, Response.NE]),
        ((0, 3), [None, Response.NE]),
    ],
)
def test_recist_s_thresholds_are_carried_over_to_volumes(totals_ml, expected):
    assert judged(*totals_ml) == expected


@given(
    st.lists(st.floats(0.5, 2), min_size=2, max_size=6),
    st.lists(st.floats(5, 60), min_size=1, max_size=5),
)
def test_spheres_that_change_alike_are_judged_as_their_diameters_are(factors, diameters_mm):
    shares = [1.0]
    for factor in factors:
        shares.append(shares[-1] * factor)
    near = [
        abs(share / reference - threshold) < 1e-9
        for place, share in enumerate(shares[1:], start=1)
        for reference, threshold in ((1.0, 0.7), (min(shares[:place]), 1.2))
    ]
    if any(near):
        return
    volumes = [[math.pi / 6 * (mm * share) ** 3 for mm in diameters_mm] for share in shares]
    found = volumetric_response([str(n) for n in range(len(shares))], volumes)
    expected: list[Response | None] = [None]
    has_responded = False
    for place, share in enumerate(shares[1:], start=1):
        if share >= 1.2 * min(shares[:place]):
            has_responded = False
            expected.append(Response.PD)
        else:
            has_responded = has_responded or share <= 0.7
            expected.append(Response.PR if has_responded else Response.SD)
    assert [one.response for one in found] == expected


@given(st.lists(st.lists(st.none() | st.floats(0, 50), min_size=2, max_size=2), max_size=6))
def test_every_null_has_its_reason(volumes_ml):
    for one in volumetric_response([str(n) for n in range(len(volumes_ml))], volumes_ml):
        names = (
            "total_ml",
            "change_from_baseline_percent",
            "change_from_nadir_percent",
            "response",
        )
        assert {name for name in names if getattr(one, name) is None} == set(one.reason)


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf])
def test_what_is_no_volume_is_refused(wrong):
    with pytest.raises(InputError):
        volumetric_response(["0"], [[wrong]])
