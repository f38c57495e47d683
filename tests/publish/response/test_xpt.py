"""Transport files: what is written reads back, and the same rows give the same bytes."""

import io
import math
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.publish.response.xpt import (
    LONGEST_TEXT,
    Variable,
    ibm_float,
    plain_text,
    xpt_bytes,
)

TEXT, NUMBER = Variable("TXT", "A text"), Variable("NUM", "A number", is_number=True)
SMALLEST, LARGEST = 16.0**-65, 7.2e75


def decoded(data: bytes) -> float:
    """Read IBM's floating point, slowly and exactly."""
    first, fraction = data[0], int.from_bytes(data[1:], "big")
    sign = -1 if first & 0x80 else 1
    return sign * math.ldexp(fraction, 4 * ((first & 0x7F) - 64) - 56)


@given(
    st.one_of(
        st.just(0.0),
        st.floats(min_value=SMALLEST, max_value=LARGEST),
        st.floats(min_value=-LARGEST, max_value=-SMALLEST),
    )
)
def test_every_float_within_the_range_keeps_its_value(value):
    assert decoded(ibm_float(value)) == value


def test_known_numbers_are_encoded_as_ibm_did():
    assert ibm_float(1.0) == bytes.fromhex("4110000000000000")
    assert ibm_float(-118.625) == bytes.fromhex("C276A00000000000")
    assert ibm_float(0.1) == bytes.fromhex("401999999999999A")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e80, 1e-90])
def test_what_the_format_cannot_hold_is_refused(value):
    with pytest.raises(InputError):
        ibm_float(value)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "TXT": st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126)),
                "NUM": st.none()
                | st.floats(-1e30, 1e30, allow_subnormal=False).filter(
                    lambda x: x == 0 or abs(x) > 1e-30
                ),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_what_was_written_reads_back(rows):
    pyreadstat = pytest.importorskip("pyreadstat")
    # A last text keeps records from being blank, which the format cannot tell from padding.
    rows = [*rows, {"TXT": "x", "NUM": 2.0}]
    data = xpt_bytes("TEST", "A test", [TEXT, NUMBER], rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "test.xpt")
        path.write_bytes(data)
        frame, _ = pyreadstat.read_xport(path)
    assert frame["TXT"].tolist() == [row["TXT"] or "" for row in rows]
    for read, row in zip(frame["NUM"], rows, strict=True):
        assert math.isnan(read) if row["NUM"] is None else read == row["NUM"]


def test_pandas_reads_it_too():
    pandas = pytest.importorskip("pandas")
    rows = [{"TXT": "one", "NUM": 0.1}, {"TXT": "two", "NUM": None}]
    data = xpt_bytes("TEST", "A test", [TEXT, NUMBER], rows)
    frame = pandas.read_sas(io.BytesIO(data), format="xport", encoding="ascii")
    assert frame["TXT"].tolist() == ["one", "two"]
    assert frame["NUM"][0] == pytest.approx(0.1)
    assert math.isnan(frame["NUM"][1])


def test_pyreadstat_reads_names_labels_and_values(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    path = tmp_path / "test.xpt"
    rows = [{"TXT": "one", "NUM": 0.1}, {"TXT": None, "NUM": None}, {"TXT": "three", "NUM": -3}]
    path.write_bytes(xpt_bytes("TEST", "A test", [TEXT, NUMBER], rows))
    frame, meta = pyreadstat.read_xport(path)
    assert meta.table_name == "TEST"
    assert meta.file_label == "A test"
    assert meta.column_names_to_labels == {"TXT": "A text", "NUM": "A number"}
    assert frame["TXT"].tolist() == ["one", "", "three"]
    assert frame["NUM"].tolist()[::2] == [0.1, -3.0]
    assert math.isnan(frame["NUM"][1])


def test_a_file_is_made_of_records_of_eighty_bytes_and_bears_no_date_of_today():
    rows = [{"TXT": "a" * n, "NUM": n} for n in range(1, 9)]
    data = xpt_bytes("TEST", "", [TEXT, NUMBER], rows)
    assert len(data) % 80 == 0
    assert data == xpt_bytes("TEST", "", [TEXT, NUMBER], rows)
    assert data.count(b"01JAN60:00:00:00") == 4


def test_a_table_without_rows_has_its_columns():
    data = xpt_bytes("TEST", "", [TEXT, NUMBER], [])
    assert len(data) % 80 == 0
    at = data.index(b"NAMESTR HEADER") - 20 + 80
    kind, _, width, number = struct.unpack(">hhhh", data[at : at + 8])
    assert (kind, width, number) == (2, 1, 1)


@given(st.text())
def test_plain_text_is_ascii_and_short(text):
    found = plain_text(text)
    assert found.isascii()
    assert len(found) <= LONGEST_TEXT


def test_names_longer_than_the_format_allows_are_refused():
    with pytest.raises(InputError):
        Variable("TOOLONGNAME", "")
    with pytest.raises(InputError):
        Variable("NAME", "x" * 41)
    with pytest.raises(InputError):
        xpt_bytes("TOOLONGNAME", "", [TEXT], [])
