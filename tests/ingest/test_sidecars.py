"""Tables and texts beside images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.ingest.recist_names import (
    metadata_role,
    parse_measurements,
    parse_patients,
    parse_recist_name,
    parse_series,
    parse_windows,
)
from lesionary.ingest.sidecars import BOX_COLUMNS, parse_boxes, parse_label_texts

HEADER = ",".join(BOX_COLUMNS)


def test_boxes_are_read_in_any_column_order_with_bom_and_crlf() -> None:
    text = "\ufeffk1,k0,j1,j0,i1,i0,note,lesion,image\r\n6,5,4,3,2,1,x,007,NA\r\n\r\n"
    (row,), findings = parse_boxes(text)
    assert (row.line, row.image, row.lesion, row.label) == (2, "NA", "007", "")
    assert row.box == (slice(5, 6), slice(3, 4), slice(1, 2))
    assert findings == ()


@given(
    st.permutations(BOX_COLUMNS),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
)
def test_names_are_text_whatever_they_look_like(columns: list[str], name: str, end: str) -> None:
    row = dict.fromkeys(BOX_COLUMNS, "1") | {"i0": "0", "j0": "0", "k0": "0", "label": "m,liver"}
    row["image"] = name
    lines = [columns, [row[column] for column in columns]]
    quoted = [",".join('"' + v.replace('"', '""') + '"' for v in line) for line in lines]
    (read,), _ = parse_boxes(end.join(quoted) + end)
    assert (read.image, read.label) == (name, "m,liver")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (",1,0,1,0,1,0,1,", "image empty"),
        ("a,,0,1,0,1,0,1,", "lesion empty"),
        ("a,1,0,1,0,1,0,", "k1"),
        ("a,1,-1,1,0,1,0,1,", "i0"),
        ("a,1,0,1.5,0,1,0,1,", "i1"),
        ("a,1,0,²,0,1,0,1,", "i1"),
        ("a,1,0,1,2,2,0,1,", "j0 = 2 is not below j1 = 2"),
        ("a,1,0,1,3,2,0,1,", "j0 = 3"),
        ("a,1,0,9999999999,0,1,0,1,", "beyond"),
        ("good,1,0,1,0,1,0,1,", "line 2"),
    ],
)
def test_each_bad_row_is_told_with_its_line(row: str, words: str) -> None:
    rows, findings = parse_boxes(f"{HEADER}\ngood,1,0,1,0,1,0,1,m\n{row}\n")
    assert [r.image for r in rows] == ["good"]
    assert [f.code for f in findings] == ["bad_box"]
    assert findings[0].reason.startswith("line 3: ")
    assert words in findings[0].reason


def test_a_quoted_line_break_does_not_shift_line_numbers_of_errors() -> None:
    _, findings = parse_boxes(f'{HEADER}\n"a\nb",1,0,1,0,1,0,1,\n,1,0,1,0,1,0,1,\n')
    assert findings[0].reason.startswith("line 4: ")


@pytest.mark.parametrize("text", ["", "image,lesion\n", HEADER + ",i0\n"])
def test_a_table_with_missing_or_double_columns_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="column"):
        parse_boxes(text)


def test_a_box_fits_an_image_or_not() -> None:
    (row,), _ = parse_boxes(f"{HEADER}\na,1,0,3,0,2,0,1,\n")
    assert row.fits((1, 2, 3))
    assert not row.fits((3, 2, 1))


def test_label_texts() -> None:
    text = '\ufeff{"1": "m,liver", "300": " n,mediastinum "}'
    assert parse_label_texts(text) == {1: "m,liver", 300: "n,mediastinum"}
    assert parse_label_texts("{}") == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"0": "x"}', '{"-1": "x"}', '{"65536": "x"}', '{"a": "x"}', '{"1": 2}',
     '{"²": "x"}', "[" * 100_000],
)  # fmt: skip
def test_what_are_no_label_texts_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_label_texts(text)


def test_series_patients_windows_and_measurements_of_the_recist_layout() -> None:
    (series,) = parse_series('[{"id": 1, "uuid": "1.2", "patient_id": 7, "region": "thorax"}]')
    assert (series.uuid, series.patient_id, series.study_uuid) == ("1.2", "7", "")
    patients = parse_patients("patient_id,subset,sex\n007,training,F\n7,test,M\n")
    assert [(p.patient_id, p.subset) for p in patients] == [("007", "train"), ("7", "test")]
    assert patients[0].values["sex"] == "F"
    assert parse_windows('{"007_1.2.nii.gz": "lung"}') == {"007_1.2": "lung"}
    header = "patient_id,uuid,lesion_label_value,recist_measurement_mm,study_order\n"
    assert parse_measurements(header) == ()
    (row,) = parse_measurements(header + "007,1.2,3,12.5,baseline\n")
    assert (row.line, row.label_value, row.measurement_mm) == (2, "3", "12.5")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_series, "{}"),
        (parse_series, "[1]"),
        (parse_series, '[{"id": 1}]'),
        (parse_patients, "patient\n1\n"),
        (parse_patients, "patient_id,subset\n,test\n"),
        (parse_patients, "patient_id\n1\n1\n"),
        (parse_windows, "[]"),
        (parse_windows, '{"a": 1}'),
        (parse_measurements, "patient_id\n1\n"),
    ],
)
def test_broken_tables_of_the_recist_layout_are_refused(parse: object, text: str) -> None:
    with pytest.raises(InputError):
        parse(text)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("thorax/train/images/007_1.2.nii.gz", ("", "thorax", "train", "images", "007", "1.2")),
        ("a/images/abdomen/test/labels/1.2.json", ("a/", "abdomen", "test", "labels", None, "1.2")),
        ("images/other/test/masks/07_1.nii", ("", "other", "test", "masks", None, "07_1")),
        ("thorax/valid/images/007_1.2.nii.gz", None),
        ("thorax/train/007_1.2.nii.gz", None),
    ],
)
def test_places_in_the_recist_layout(place: str, expected: tuple[object, ...] | None) -> None:
    name = parse_recist_name(place)
    if name is None:
        assert expected is None
    else:
        parts = (name.root, name.region, name.subset, name.role, name.patient, name.uuid)
        assert parts == expected


def test_tables_are_known_by_their_place() -> None:
    assert metadata_role("metadata/patients.csv") == ("", "patients")
    assert metadata_role("a/recist_measurements.csv") == ("a/", "measurements")
    assert metadata_role("a/patients.csv") is None
