"""Readers' contours in one JSON file: compared lesion by lesion, or refused by name."""

import json

import pytest

from lesionary.app.files.agreement import agree
from lesionary.app.files.contour_cases import read_contour_cases
from lesionary.core.errors import InputError
from lesionary.io.limits import Limits

SQUARE = [[4, 4], [10, 4], [10, 10], [4, 10]]
BESIDE = [[5, 4], [11, 4], [11, 10], [5, 10]]


def reader(points=SQUARE, *, z=2, is_included=True):
    return {"contours": [{"inclusion": is_included, "z": z, "xy": points}]}


NOBODY = {"contours": []}


def lesion(*readers, **changes):
    return {
        "patient_id": "A",
        "pixel_spacing": 0.7,
        "slice_z": [0, 2, 4, 6],
        "rows": 32,
        "columns": 32,
        "raters": list(readers) or [reader(), reader(BESIDE)],
    } | changes


@pytest.fixture
def compare(command, tmp_path):
    """Return ``compare(lesions, *options)``; text is written as it is."""

    def run(content, *options):
        path = tmp_path / "contours.json"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return command("file", "agree", path, *options)

    return run


def test_what_lies_strictly_inside_the_outlines_is_compared_over_the_whole_image(compare):
    code, found = compare([lesion()])
    assert code == 0
    (case,) = found["cases"]
    assert case["readers"] == ["reader 1", "reader 2"]
    assert case["domain"] == {"kind": "image", "voxels": 4 * 32 * 32}
    assert case["dice"] == {"1-2": pytest.approx(2 * 20 / 50)}
    assert case["volume_ml"][0] == pytest.approx(25 * 0.7 * 0.7 * 2 / 1000)


def test_patients_are_numbered_and_never_named(compare):
    lesions = [lesion(patient_id=name) for name in ("Erika", "Max", "Erika")]
    _, found = compare(lesions)
    assert [(row["subject"], row["case"]) for row in found["cases"]] == [
        ("1", "1"),
        ("2", "2"),
        ("1", "3"),
    ]
    assert "Erika" not in json.dumps(found)


def test_a_reader_who_drew_nothing_missed_the_lesion(compare):
    _, found = compare([lesion(reader(), NOBODY, reader(BESIDE))])
    (tumour,) = found["cases"][0]["tumours"]
    assert tumour["present"] == [True, False, True]
    assert tumour["dice"]["1-2"] == 0.0


@pytest.mark.parametrize(
    "second", [[], [[4, 4]], [[4, 4], [8, 8]], [[4, 4], [5, 4], [5, 5], [4, 5]]]
)
def test_outlines_that_enclose_nothing_are_nothing_drawn(compare, second):
    code, found = compare([lesion(reader(), reader(second))])
    assert code == 0
    assert found["cases"][0]["tumours"][0]["present"] == [True, False]


def test_an_outline_around_what_is_no_lesion_is_taken_away(compare):
    hole = [[6, 6], [8, 6], [8, 8], [6, 8]]
    both = {"contours": reader()["contours"] + reader(hole, is_included=False)["contours"]}
    _, found = compare([lesion(reader(), both)])
    first, second = found["cases"][0]["volume_ml"]
    assert first / second == pytest.approx(25 / 24)


def test_a_lesion_that_nobody_drew_is_a_case_without_tumour(compare):
    code, found = compare([lesion(NOBODY, NOBODY)])
    assert (code, found["cases"][0]["tumours"]) == (0, [])


def test_an_outline_in_pieces_is_one_tumour(compare):
    far = reader([[20, 20], [26, 20], [26, 26], [20, 26]])["contours"]
    pieces = {"contours": reader()["contours"] + far}
    _, found = compare([lesion(pieces, reader())])
    assert len(found["cases"][0]["tumours"]) == 1


@pytest.mark.parametrize(
    "points",
    [
        [[40, 4], [50, 4], [50, 10]], [[-9, 4], [10, 4], [10, 10]], [[4.5, 4], [10, 4], [10, 10]],
        [[1e300, 4], [10, 4], [10, 10]], [[4, 32], [10, 4], [10, 10]],
    ],
)  # fmt: skip
def test_points_beside_the_image_or_between_pixels_are_refused(compare, points):
    code, found = compare([lesion(), lesion(reader(points), reader())])
    assert (code, found["error"]["code"]) == (2, "bad_contours")
    assert found["error"]["message"].startswith("lesion 2")
    assert found["error"]["source"].endswith("contours.json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(compare, number):
    text = json.dumps([lesion()])
    for place in ("[4, 4]", '"rows": 32', '"pixel_spacing": 0.7', "[0, 2, 4, 6]"):
        changed = {"[4, 4]": f"[{number}, 4]", "[0, 2, 4, 6]": f"[0, 2, 4, {number}]"}.get(
            place, f"{place.rpartition(' ')[0]} {number}"
        )
        code, found = compare(text.replace(place, changed))
        assert (code, found["error"]["code"]) == (2, "bad_contours")


@pytest.mark.parametrize(
    "content",
    ["", "{", "{}", "[]", "[1]", "[{}]", "null", "[" * 100_000],
    ids=["nothing", "half", "object", "no lesion", "number", "no field", "null", "deep"],
)
def test_what_is_no_list_of_lesions_is_refused(compare, content):
    code, found = compare(content)
    assert (code, found["error"]["code"]) == (2, "bad_contours")


@pytest.mark.parametrize(
    "changes",
    [
        {"raters": [reader()]}, {"raters": []}, {"slice_z": []}, {"slice_z": [0, 2, 5]},
        {"slice_z": [2]}, {"slice_z": "x"}, {"rows": 0}, {"rows": -5}, {"pixel_spacing": 0},
        {"raters": [reader(z=3), reader()]}, {"raters": [reader([1, 2, 3]), reader()]},
    ],
    ids=str,
)  # fmt: skip
def test_a_lesion_that_cannot_be_is_refused(compare, changes):
    code, found = compare([lesion(**changes)])
    assert (code, found["error"]["code"]) == (2, "bad_contours")
    assert "lesion 1" in found["error"]["message"]


def test_a_huge_image_costs_nothing_but_a_huge_lesion_is_refused(compare):
    big = {"rows": 10**6, "columns": 10**6}
    code, found = compare([lesion(**big)])
    assert code == 0
    assert found["cases"][0]["domain"]["voxels"] == 4 * 10**12
    wide = [[1, 1], [900_000, 1], [900_000, 900_000], [1, 900_000]]
    code, found = compare([lesion(reader(wide), reader(), **big)])
    assert (code, found["error"]["code"]) == (2, "size_claim")
    assert compare([lesion()], "--max-volume-bytes", 100)[1]["error"]["code"] == "size_claim"


@pytest.mark.parametrize("kind", ["missing", "folder", "latin"])
def test_a_file_that_cannot_be_read_is_named(command, tmp_path, kind):
    path = tmp_path / "contours.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "latin":
        path.write_bytes(b"\xff\xfe\x00")
    code, found = command("file", "agree", path)
    assert (code, found["error"]["source"]) == (2, str(path))


def test_maps_are_crops_that_hold_all_that_was_drawn(tmp_path):
    path = tmp_path / "contours.json"
    path.write_text(json.dumps([lesion()]))
    (case,) = read_contour_cases(path, "contours.json", Limits())
    assert case.n_voxels == 4096
    assert all(one.geometry.n_voxels < 400 for one in case.maps)
    assert [int(one.array.sum()) for one in case.maps] == [25, 25]


def test_errors_come_while_reading_and_name_the_file_as_given(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([lesion(reader([[99, 1]]), reader())]))
    with pytest.raises(InputError) as refused:
        list(read_contour_cases(path, "given.json", Limits()))
    assert refused.value.source == "given.json"


@pytest.mark.real_data
@pytest.mark.slow
def test_four_radiologists_over_forty_nodules_in_one_call(shared_data):
    files = sorted((shared_data / "lidc_multirater").rglob("*.json"))
    if not files:
        pytest.skip("no LIDC contours here")
    found = agree(files[:1])
    assert len(found["cases"]) == 40
    assert all(len(case["readers"]) == 4 for case in found["cases"])
