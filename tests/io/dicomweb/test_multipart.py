"""Bodies of many parts: what goes in comes out, however it arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.dicomweb.multipart import boundary_of, parts, related

BOUNDARY = b"b0undary-of-parts"
CONTENTS = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\r\n--b0undary-of-part", b"\r\n\r\n", b""]),
    ),
    max_size=5,
)


class Slowly:
    """A body that comes in pieces of a given length."""

    def __init__(self, content: bytes, n_bytes: int) -> None:
        self.rest = content
        self.n_bytes = n_bytes

    def read(self, amount: int, /) -> bytes:
        n_bytes = min(amount, self.n_bytes)
        piece, self.rest = self.rest[:n_bytes], self.rest[n_bytes:]
        return piece


def body_of(contents):
    return b"".join(bytes(piece) for piece in related([[one] for one in contents], BOUNDARY))


@given(CONTENTS, st.integers(1, 50))
def test_what_was_put_together_comes_apart(contents, n_bytes):
    assert list(parts(Slowly(body_of(contents), n_bytes), BOUNDARY)) == contents


@given(CONTENTS.filter(bool), st.data())
def test_a_body_that_stops_early_is_truncated_and_its_whole_parts_are_right(contents, data):
    whole = body_of(contents)
    n_left = data.draw(st.integers(0, len(whole) - len("--\r\n") - 1))
    found = []
    with pytest.raises(UnreadableSeriesError) as caught:
        found.extend(parts(Slowly(whole[:n_left], 7), BOUNDARY))
    assert caught.value.code == "truncated"


def test_whole_parts_before_a_cut_are_given():
    whole = body_of([b"first", b"second"])
    found = parts(Slowly(whole[:-12], 5), BOUNDARY)
    assert next(found) == b"first"
    with pytest.raises(UnreadableSeriesError):
        next(found)


def test_a_part_over_the_limit_is_refused_before_it_is_read():
    body = Slowly(body_of([b"x" * 100_000]), 1000)
    with pytest.raises(UnreadableSeriesError) as caught:
        list(parts(body, BOUNDARY, most_bytes=5000))
    assert caught.value.code == "size_claim"
    assert len(body.rest) > 90_000


def test_a_preamble_padding_and_parts_without_headers_are_legal():
    body = b"a preamble\r\n--b  \r\n\r\nbare\r\n--b\r\nX: y\r\n\r\nheaded\r\n--b--\r\nan epilogue"
    assert list(parts(Slowly(body, 3), b"b")) == [b"bare", b"headed"]


@given(st.binary(max_size=200))
def test_noise_is_refused_with_a_code(noise):
    with pytest.raises(UnreadableSeriesError) as caught:
        list(parts(Slowly(noise, 11), BOUNDARY, most_bytes=100))
    assert caught.value.code in {"truncated", "dicomweb", "size_claim"}


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [
        ('multipart/related; boundary="a b"; type="application/dicom"', b"a b"),
        ("multipart/related;BOUNDARY=xyz", b"xyz"),
        ("multipart/related; type=application/dicom; boundary=--x--; start=1", b"--x--"),
    ],
)
def test_boundaries_are_found_quoted_or_not(kind, boundary):
    assert boundary_of(kind) == boundary


@pytest.mark.parametrize("kind", ["", "multipart/related", "multipart/related; boundary="])
def test_a_type_without_boundary_is_refused(kind):
    with pytest.raises(UnreadableSeriesError):
        boundary_of(kind)
