"""Two readers' table: only what differs, and the lesion behind it (X7)."""

import pytest

from lesionary import files
from lesionary.core.errors import InputError

HEAD = "subject,timepoint,lesion,role,kind,organ,diameter_mm,status,reader\n"


def table(tmp_path, *rows):
    path = tmp_path / "lesions.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def read(reader, lesion, *sizes_mm):
    return [
        f"1,{t},{lesion},target,tumour,liver,{mm},present,{reader}" for t, mm in enumerate(sizes_mm)
    ]


def test_only_the_time_point_that_differs_is_listed_with_its_lesion(tmp_path):
    path = table(
        tmp_path,
        *read("anna", "A", 20, 20, 20),
        *read("anna", "B", 20, 21, 20),
        *read("ben", "A", 20, 20, 20),
        *read("ben", "B", 20, 21, 30),
    )
    found = files.adjudicate(path)
    assert found["readers"] == ["anna", "ben"]
    [one] = found["disagreements"]
    assert (one["timepoint"], one["responses"], one["causes"]) == ("2", ["SD", "PD"], ["B"])
    assert one["seen"] == {"B": ["target 20 mm", "target 30 mm"]}


def test_three_readers_are_held_against_each_other_two_by_two(tmp_path):
    sizes = {"anna": 20, "ben": 30, "chi": 12}
    rows = [row for reader, mm in sizes.items() for row in read(reader, "A", 20, mm)]
    found = files.adjudicate(table(tmp_path, *rows))
    assert [one["readers"] for one in found["disagreements"]] == [
        ["anna", "ben"],
        ["anna", "chi"],
        ["ben", "chi"],
    ]


def test_one_reader_has_nobody_to_be_held_against(tmp_path):
    with pytest.raises(InputError, match="fewer than two readers"):
        files.adjudicate(table(tmp_path, *read("anna", "A", 20, 20)))


def test_faulty_rows_are_all_named(tmp_path):
    rows = [*read("anna", "A", 20, -1), *read("ben", "A", "x", 20)]
    with pytest.raises(InputError) as caught:
        files.adjudicate(table(tmp_path, *rows))
    assert [row["line"] for row in caught.value.details["rows"]][:2] == [3, 4]
