import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.measure.response.amounts import parse_mm
from lesionary.measure.response.judging import respond
from lesionary.measure.response.options import ResponseOptions
from lesionary.measure.response.records import Criteria
from lesionary.measure.response.rows import OPTIONAL, REQUIRED, parse_table

HEADER = ",".join(REQUIRED)
FULL = ",".join((*REQUIRED, *OPTIONAL))
BASELINE = "s,0,A,target,tumour,liver,30,present"


def table_of(*rows, header=HEADER):
    return "\n".join([header, *rows]) + "\n"


def refused(text, **options):
    """Return the lines that an error lists."""
    table = parse_table(text)
    with pytest.raises(InputError) as caught:
        respond(table.observations, faults=table.faults, **options)
    error = caught.value
    assert error.code == "bad_rows"
    lines = [row["line"] for row in error.details["rows"]]
    for line in lines:
        assert f"line {line}:" in error.message
    return lines


def only(text):
    table = parse_table(text)
    assert table.faults == ()
    (row,) = table.observations
    return row


def test_a_bom_crlf_quotes_other_columns_and_another_order_do_not_matter():
    plain = only(table_of(BASELINE))
    turned = only(
        "\ufeffstatus,comment,diameter_mm, organ ,kind,role,lesion,timepoint,subject\r\n"
        'present,"x, y",30,liver,tumour,target,"A",0,s\r\n'
    )
    assert plain == turned


def test_identifiers_are_text_and_only_empty_means_missing():
    row = only(table_of("007,NA,nan,target,tumour,null,,present,,,,,,NULL", header=FULL))
    assert (row.subject, row.timepoint, row.lesion) == ("007", "NA", "nan")
    assert (row.organ, row.reader, row.diameter_mm, row.date) == ("null", "NULL", None, None)


def test_007_and_7_are_two_subjects():
    rows = table_of(BASELINE.replace("s,", "007,", 1), BASELINE.replace("s,", "7,", 1))
    found = respond(parse_table(rows).observations)
    assert [row.subject for row in found] == ["007", "7"]


def test_lines_are_counted_as_an_editor_counts_them():
    text = table_of('s,0,A,target,tumour,"a\nb",30,present', "", BASELINE.replace("30", "-1"))
    assert [fault.row for fault in parse_table(text).faults] == [5]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"),
        ("12.50", "12.5"),
        (" 12 ", "12"),
        ("1e1", "10"),
        ("1E+01", "10"),
        ("5e-1", "0.5"),
        (".5", "0.5"),
        ("7.", "7"),
        ("0", "0"),
        ("10000", "10000"),
        ("0.1", "0.1"),
        ("007", "7"),
    ],
)
def test_a_number_with_a_decimal_point_is_a_length(text, value):
    assert parse_mm(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "12,5", "-1", "-0", "+3", "nan", "NaN", "inf", "Infinity", "1_000", "12 mm", "1 2",
        "10000.1", "1e9", "1e400", "9" * 70, "0x10", "١٢", "1/2", "", "--", "1e", "e1",
        "0.000000000000000000001", "1e-999",
    ],
)  # fmt: skip
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_mm(text)


@given(st.floats(0, 10_000, allow_subnormal=False).filter(lambda one: one == 0 or one > 1e-3))
def test_the_shortest_text_of_a_float_is_read_as_that_decimal(value):
    assert parse_mm(repr(value)) == Decimal(repr(value))


@pytest.mark.parametrize("said", ["-1", "nan", "inf", "1e9", "twelve", "12;5"])
def test_a_bad_diameter_is_refused_with_its_line(said):
    assert refused(table_of(BASELINE, BASELINE.replace("s,0", "s,1").replace("30", said))) == [3]


def test_a_decimal_comma_in_quotes_is_refused():
    assert refused(table_of(BASELINE.replace("30", '"12,5"'))) == [2]


@pytest.mark.parametrize(
    ("old", "new"),
    [("target", "Target"), ("tumour", "tumor"), ("present", "there"), ("target", "")],
)
def test_an_unknown_word_is_refused(old, new):
    assert refused(table_of(BASELINE.replace(old, new))) == [2]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_empty_name_is_refused(place):
    fields = BASELINE.split(",")
    fields[place] = ""
    assert refused(table_of(BASELINE, ",".join(fields))) == [3]


@pytest.mark.parametrize("date", ["2024-02-30", "01.02.2024", "2024-W01-1", "2024", "202401011"])
def test_a_date_that_is_no_day_is_refused(date):
    assert refused(table_of(f"{BASELINE},{date},,,,,", header=FULL)) == [2]


@pytest.mark.parametrize("date", ["2024-02-29", "20240229"])
def test_a_date_is_written_with_or_without_hyphens(date):
    assert only(table_of(f"{BASELINE},{date},,,,,", header=FULL)).date.isoformat() == "2024-02-29"


@pytest.mark.parametrize("thickness", ["0", "-1", "x"])
def test_a_slice_has_a_thickness_above_0(thickness):
    assert refused(table_of(f"{BASELINE},,,{thickness},,,", header=FULL)) == [2]


def test_every_bad_row_is_listed_whatever_is_wrong_with_it():
    rows = [
        BASELINE,
        "s,0,B,target,tumour,liver,-4,present",
        "s,0,C,target,tumour,lung,20,present",
        "s,0,C,target,tumour,lung,21,present",
        "s,1,D,target,tumour,lung,21,present",
        "s,1,A,lesion,tumour,liver,30,present",
        "s,1,C,target,tumour,lung,3,absent",
        "s,1,,target,tumour,lung,3,present",
    ]
    assert sorted(set(refused(table_of(*rows)))) == [3, 4, 5, 6, 7, 8, 9]


def test_a_row_whose_baseline_is_faulty_is_not_blamed_for_it():
    rows = [BASELINE.replace("30", "x"), BASELINE.replace("s,0", "s,1")]
    assert refused(table_of(*rows)) == [2]


def test_a_message_never_says_what_a_row_says():
    text = table_of(BASELINE.replace("30", "Muster").replace("s,", "Erika,", 1))
    with pytest.raises(InputError) as caught:
        respond(parse_table(text).observations, faults=parse_table(text).faults)
    assert "Muster" not in str(caught.value) + str(caught.value.details)
    assert "Erika" not in str(caught.value) + str(caught.value.details)


@pytest.mark.parametrize("row", [BASELINE + ",more", "s,0,A,target"])
def test_a_row_with_too_many_or_too_few_fields_is_refused(row):
    assert 2 in refused(table_of(row))


def test_bytes_that_are_no_text_are_refused():
    assert refused(table_of(BASELINE.replace("s,", "\ufffd,", 1))) == [2]


def test_an_open_quote_is_refused_where_it_begins():
    assert 3 in refused(table_of(BASELINE, BASELINE.replace("liver", '"liver')))


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="status") as caught:
        parse_table("subject,timepoint,lesion,role,kind,organ,diameter_mm\n")
    assert caught.value.code == "bad_table"


def test_a_column_that_is_there_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        parse_table(table_of(BASELINE + ",x", header=HEADER + ",subject"))


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, HEADER + "\n\n"])
def test_a_table_without_rows_is_refused(text):
    with pytest.raises(InputError):
        parse_table(text)


def test_numbers_leave_as_the_shortest_json_numbers():
    rows = [BASELINE.replace("30", "30.10"), BASELINE.replace("s,0", "s,1").replace("30", "20.00")]
    found = respond(parse_table(table_of(*rows)).observations)
    first, second = (row.to_json() for row in found)
    assert (repr(first["sum_mm"]), repr(second["sum_mm"])) == ("30.1", "20")
    assert repr(second["change_from_baseline_mm"]) == "-10.1"


@pytest.mark.parametrize("criteria", Criteria)
def test_every_null_has_its_reason_and_nothing_else_has(criteria):
    rows = [BASELINE, BASELINE.replace("s,0", "s,1"), BASELINE.replace("s,0", "s,2")]
    rows[2] = rows[2].replace("30", "")
    for row in respond(parse_table(table_of(*rows)).observations):
        document = row.to_json(criteria)
        nulls = {name for name, value in document.items() if value is None}
        assert set(document["reason"]) == nulls
        assert all(document["reason"].values())


LINES = st.lists(
    st.one_of(
        st.sampled_from([
            BASELINE, BASELINE.replace("s,0", "s,1"), BASELINE.replace("A", "B"), "",
            "s,1,A,target,tumour,liver,,merged", "s,2,Z,new,node,neck,12,present",
        ]),
        st.text("0159,\"\r\nAst.- eé\x00", max_size=40),
        st.text(max_size=20),
    ),
    max_size=6,
)  # fmt: skip


@given(LINES, st.sampled_from([HEADER, FULL, ""]), st.sampled_from(Criteria))
def test_whatever_the_text_it_is_judged_or_refused(lines, header, criteria):
    code = ""
    found = ()
    try:
        table = parse_table("\n".join([header, *lines]))
        found = respond(table.observations, ResponseOptions(criteria), faults=table.faults)
    except InputError as error:
        code = error.code
    assert code in {"bad_rows", "bad_table"} or (found and not code)
    json.dumps([row.to_json(criteria) for row in found], allow_nan=False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused_in_the_name_of_utf_8(encoding):
    read = table_of(BASELINE).encode(encoding).decode("utf-8", errors="replace")
    with pytest.raises(InputError, match="UTF-8") as caught:
        parse_table(read)
    assert caught.value.code == "bad_table"


def test_a_nul_in_a_row_is_refused_in_the_name_of_utf_8():
    (fault,) = parse_table(table_of(BASELINE.replace("liver", "li\x00ver"))).faults
    assert "UTF-8" in fault.reason
