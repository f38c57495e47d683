import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.measure.tracks.registration import RegistrationKind, Transform, identity
from strategies import rotations

SHIFTS = st.tuples(*[st.floats(-100, 100)] * 3)


@st.composite
def transforms(draw):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = draw(rotations()), draw(SHIFTS)
    return Transform(matrix, draw(st.sampled_from(RegistrationKind)), draw(st.floats(0, 1)))


@given(transforms(), SHIFTS)
def test_the_inverse_leads_back(transform, point):
    there = transform.apply(np.array(point))
    np.testing.assert_allclose(transform.inverse().apply(there), point, atol=1e-8)


@given(transforms(), transforms(), SHIFTS)
def test_one_then_the_other(first, second, point):
    both = first.then(second)
    np.testing.assert_allclose(
        both.apply(np.array(point)), second.apply(first.apply(np.array(point))), atol=1e-8
    )
    assert both.quality == min(first.quality, second.quality)
    assert (both.kind is RegistrationKind.BODY_CENTRE) == (
        RegistrationKind.BODY_CENTRE in {first.kind, second.kind}
    )


def test_the_identity_moves_nothing():
    np.testing.assert_array_equal(identity().apply(np.arange(6.0).reshape(2, 3)).ravel(), range(6))


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.full((4, 4), np.nan), np.zeros((4, 4)), np.ones((4, 4))]
)
def test_what_is_no_invertible_affine_map_is_refused(matrix):
    with pytest.raises(InputError):
        Transform(matrix)


def test_a_transform_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        identity().matrix[0, 0] = 2.0
