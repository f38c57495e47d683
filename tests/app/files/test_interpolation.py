"""``file interpolate`` on files: fields, the grid that comes back, and what is refused."""

import numpy as np
import pytest

from lesionary.app.files.interpolation import interpolate
from lesionary.app.files.reading import Reading
from lesionary.app.files.single import read_mask
from lesionary.core.errors import InputError
from lesionary.core.volume import AxisOrder, Geometry, LabelMap
from lesionary.io.checked_images import write_checked

GRID = Geometry((16, 12, 12), np.diag([3.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
FIELDS = {"output", "method", "key_slices", "filled_slices", "gaps_left", "voxels", "warnings"}


def drawing():
    array = np.zeros(GRID.shape, dtype=np.uint16)
    array[[0, 5, 15], 3:9, 3:9] = 1
    array[[0, 3], 10, 10] = 7
    return LabelMap(array, GRID)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_drawn_slices_stay_and_gaps_are_filled_or_counted(tmp_path, ending):
    source, target = tmp_path / f"drawn{ending}", tmp_path / f"filled{ending}"
    write_checked(source, drawing())
    result = interpolate(source, step=5, output=target)
    filled = read_mask(target, Reading()).array
    assert result.keys() == FIELDS
    assert result["output"] == str(target)
    assert result["method"] == "shape"
    assert (result["key_slices"], result["filled_slices"], result["gaps_left"]) == (4, 4, 1)
    assert result["voxels"] == np.count_nonzero(filled) == 7 * 36 + 4
    assert result["warnings"] == ["label 1: slices 5 and 15 lie more than 5 apart, the gap is left"]
    drawn = drawing().array
    assert np.array_equal(filled[drawn > 0], drawn[drawn > 0])
    assert not filled[6:15].any()


@pytest.mark.parametrize("order", AxisOrder.all()[::7])
def test_the_output_lies_on_the_input_s_grid_in_any_axis_order(tmp_path, order):
    turned = LabelMap(np.ascontiguousarray(order.apply(drawing().array)), GRID.reordered(order))
    write_checked(tmp_path / "drawn.nii", turned)
    interpolate(tmp_path / "drawn.nii", step=5, output=tmp_path / "filled.nii", method="linear")
    filled = read_mask(tmp_path / "filled.nii", Reading())
    assert filled.geometry.is_same_grid(GRID.reordered(order))
    assert np.count_nonzero(filled.array == 1) == 7 * 36


def test_an_empty_mask_is_written_with_a_warning(tmp_path):
    empty = LabelMap(np.zeros(GRID.shape, dtype=np.uint16), GRID)
    write_checked(tmp_path / "empty.nrrd", empty)
    result = interpolate(tmp_path / "empty.nrrd", step=5, output=tmp_path / "filled.nrrd")
    assert (result["key_slices"], result["filled_slices"], result["gaps_left"]) == (0, 0, 0)
    assert result["voxels"] == 0
    assert result["warnings"] == ["nothing is drawn: there is nothing to fill"]


def test_the_input_is_never_written_over(tmp_path):
    source = tmp_path / "drawn.nrrd"
    write_checked(source, drawing())
    before = source.read_bytes()
    (tmp_path / "same.nrrd").hardlink_to(source)
    for target in (source, tmp_path / "same.nrrd"):
        with pytest.raises(InputError, match="the output is one of the inputs"):
            interpolate(source, step=5, output=target)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"step": 0}, "at least 1"), ({"method": "cubic"}, "shape or linear")],
)
def test_arguments_that_are_none_leave_no_file(tmp_path, changed, reason):
    write_checked(tmp_path / "drawn.nrrd", drawing())
    with pytest.raises(InputError, match=reason):
        interpolate(tmp_path / "drawn.nrrd", **{"step": 5, "output": tmp_path / "o.nrrd"} | changed)
    assert not (tmp_path / "o.nrrd").exists()


def test_errors_name_the_file_as_it_was_given(tmp_path):
    (tmp_path / "text.nrrd").write_text("no image")
    with pytest.raises(InputError) as caught:
        interpolate(tmp_path / "text.nrrd", step=5, output=tmp_path / "o.nrrd")
    assert caught.value.source == str(tmp_path / "text.nrrd")
    with pytest.raises(InputError) as caught:
        interpolate(tmp_path / "text.nrrd", step=5, output=tmp_path / "o.png")
    assert caught.value.source == str(tmp_path / "o.png")
