import numpy as np

from lesionary.core.volume import Geometry
from lesionary.ingest.structures import Code, References, Roi, StructureSet

GRID = Geometry((4, 8, 8), np.diag([3.0, 1.0, 1.0, 1.0]))
TRIANGLE = np.array([(0.0, 1.0, 1.0), (0.0, 6.0, 2.0), (0.0, 3.0, 5.0)])


def roi(*slices):
    outlines = tuple(GRID.to_world(TRIANGLE + np.array([k, 0, 0])) for k in slices)
    return Roi(1, "x", "GTV", outlines, References())


def test_references_of_several_objects_are_taken_together():
    one = References(frozenset({"1"}), frozenset({"S"}), frozenset({"F"}), {"1": 3})
    two = References(frozenset({"2"}), frozenset({"S"}), frozenset(), {"1": 5, "2": 1})
    both = References.union([one, two])
    assert both.sop_instance_uids == {"1", "2"}
    assert both.series_instance_uids == {"S"}
    assert both.frame_of_reference_uids == {"F"}
    assert both.last_frames == {"1": 5, "2": 1}


def test_references_of_nothing_are_empty():
    assert References.union([]) == References()


def test_a_set_lies_on_a_grid_where_all_its_structures_do():
    on, off = roi(0, 3), roi(1.5)
    assert on.lies_on(GRID)
    assert not off.lies_on(GRID)
    assert StructureSet((on, roi()), References()).lies_on(GRID)
    assert not StructureSet((on, off), References()).lies_on(GRID)


def test_codes_are_equal_whatever_they_are_said_to_mean():
    assert Code("1", "SCT", "Liver") == Code("1", "SCT", "Leber")
    assert Code("1", "SCT") != Code("1", "SRT")


def test_uids_stay_out_of_repr():
    assert "1.2.840" not in repr(References(frozenset({"1.2.840.1"})))
