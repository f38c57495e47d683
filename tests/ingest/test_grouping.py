"""Grouping of headers: grids, scout views, copies and slices that claim one place."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from header_factory import GRID, even, slice_header, stack
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.grouping import SeriesCandidate, group_series
from lesionary.ingest.header import Concatenation, InstanceHeader

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def pixels_by_uid(header: InstanceHeader) -> bytes:
    """Give every SOP instance UID pixels of its own."""
    return header.sop_instance_uid.encode()


def same_pixels(header: InstanceHeader) -> bytes:
    return b"the same"


def other_pixels(header: InstanceHeader) -> bytes:
    return str(header.number).encode()


def unreadable(header: InstanceHeader) -> None:
    return None


def must_not_be_read(header: InstanceHeader) -> bytes:
    raise AssertionError("pixels are read only where two slices claim one place")


def outcomes(candidate: SeriesCandidate) -> dict[str, Outcome]:
    return {finding.code: finding.outcome for finding in candidate.findings}


def test_a_sound_series_is_one_candidate_and_no_pixel_is_read():
    (candidate,) = group_series(even(), must_not_be_read)
    assert len(candidate.slices) == candidate.n_instances == 10
    assert candidate.findings == ()


def test_nothing_gives_nothing():
    assert group_series([], must_not_be_read) == ()


@given(st.permutations(range(16)))
def test_the_order_of_files_means_nothing(order):
    slices = [*even(10), *even(6, series_instance_uid="1.2.4", sop_instance_uid="")]
    assert group_series([slices[k] for k in order], pixels_by_uid) == group_series(
        slices, pixels_by_uid
    )


def test_series_are_told_apart_by_their_uid():
    slices = [*even(4), *even(5, series_instance_uid="1.2.4", sop_instance_uid="")]
    assert [len(c.slices) for c in group_series(slices, must_not_be_read)] == [4, 5]


def test_one_series_across_study_uids_stays_one_and_says_so():
    slices = [replace(h, study_instance_uid=f"1.{h.number}") for h in even(3)]
    (candidate,) = group_series(slices, must_not_be_read)
    assert outcomes(candidate) == {"study_mixed": Outcome.WARNED}


def test_files_with_blanked_series_uids_belong_together_by_folder():
    slices = even(4, series_instance_uid="", sop_instance_uid="")
    elsewhere = [replace(h, place=f"other/{h.number}.dcm") for h in slices]
    assert len(group_series([*slices, *elsewhere], must_not_be_read)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"pixel_spacing_mm": (0.9, 0.9)},
        {"pixel_format": replace(GRID, rows=24)},
        {"orientation": CORONAL},
        {"frame_of_reference_uid": "1.10"},
        {"modality": "PT"},
    ],
)
def test_two_grids_under_one_uid_become_two_series_with_a_warning(changes):
    second = [replace(h, number=h.number + 50, sop_instance_uid="") for h in even(8, **changes)]
    first, other = group_series([*even(8), *second], must_not_be_read)
    assert outcomes(first) == outcomes(other) == {"split_geometry": Outcome.WARNED}
    assert (len(first.slices), len(other.slices)) == (8, 8)


def test_float_noise_in_orientation_and_spacing_is_one_grid():
    slices = [
        replace(
            h, orientation=(1.0, 1e-5 * h.number, 0, 0, 1.0, 0), pixel_spacing_mm=(0.8, 0.70001)
        )
        for h in even(5)
    ]
    assert len(group_series([*slices, *stack([15.0])], pixels_by_uid)) == 1


def test_a_scout_that_says_so_is_dropped():
    scout = slice_header(99, (0, 0, 0), image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))
    (candidate,) = group_series([*even(4), scout], must_not_be_read)
    assert outcomes(candidate) == {"localizer": Outcome.FIXED}
    assert (len(candidate.slices), candidate.n_instances) == (4, 5)


def test_a_lone_turned_slice_beside_a_stack_is_a_scout():
    scout = slice_header(99, (0, 0, 0), orientation=CORONAL, pixel_format=replace(GRID, rows=99))
    (candidate,) = group_series([*even(20), scout], must_not_be_read)
    assert outcomes(candidate) == {"localizer": Outcome.FIXED}


def test_a_lone_slice_of_another_matrix_but_not_turned_is_no_scout():
    odd = slice_header(99, (0, 0, 99), pixel_format=replace(GRID, rows=99))
    assert len(group_series([*even(20), odd], must_not_be_read)) == 2


def test_a_series_of_scouts_only_is_ignored():
    (candidate,) = group_series(even(2, image_type=("ORIGINAL", "LOCALIZER")), must_not_be_read)
    assert outcomes(candidate) == {"localizer": Outcome.IGNORED}


def test_the_same_file_twice_is_kept_once():
    again = [replace(h, number=h.number + 50) for h in even(6)[2:4]]
    (candidate,) = group_series([*even(6), *again], pixels_by_uid)
    assert outcomes(candidate) == {"duplicate_identical": Outcome.FIXED}
    assert [h.number for h in candidate.slices] == [0, 1, 2, 3, 4, 5]
    assert candidate.n_instances == 8


def test_the_same_pixels_at_the_same_place_under_two_uids_are_one_slice():
    twin = replace(even(6)[2], number=50, sop_instance_uid="1.2.3.999")
    (candidate,) = group_series([*even(6), twin], same_pixels)
    assert outcomes(candidate) == {"duplicate_identical": Outcome.FIXED}
    assert len(candidate.slices) == 6


def test_other_pixels_at_the_same_place_leave_the_series_out():
    twin = replace(even(6)[2], number=50, sop_instance_uid="1.2.3.999")
    (candidate,) = group_series([*even(6), twin], other_pixels)
    assert outcomes(candidate) == {"duplicate_slice": Outcome.LEFT_OUT}
    assert "1 of 6 places" in candidate.findings[0].reason
    assert "at 6.0 mm" in candidate.findings[0].reason


def test_the_same_pixels_on_another_scale_are_other_pixels():
    twin = replace(even(6)[2], number=50, sop_instance_uid="1.9", rescale=(2.0, 0.0))
    (candidate,) = group_series([*even(6), twin], same_pixels)
    assert outcomes(candidate) == {"duplicate_slice": Outcome.LEFT_OUT}


def test_one_uid_with_two_contents_leaves_the_series_out():
    twin = replace(even(6)[2], number=50)
    (candidate,) = group_series([*even(6), twin], other_pixels)
    assert outcomes(candidate) == {"sop_conflict": Outcome.LEFT_OUT}


def test_one_uid_at_two_places_leaves_the_series_out():
    slices = even(6)
    slices[4] = replace(slices[4], sop_instance_uid=slices[2].sop_instance_uid)
    (candidate,) = group_series(slices, same_pixels)
    assert outcomes(candidate) == {"sop_conflict": Outcome.LEFT_OUT}


def test_one_uid_in_two_series_leaves_both_out():
    both = group_series([*even(6), *even(6, series_instance_uid="1.2.4")], same_pixels)
    assert [outcomes(c) for c in both] == [{"sop_conflict": Outcome.LEFT_OUT}] * 2


def test_a_copy_that_cannot_be_read_is_no_copy():
    again = [replace(h, number=h.number + 50) for h in even(6)]
    (candidate,) = group_series([*even(6), *again], unreadable)
    assert Outcome.LEFT_OUT in outcomes(candidate).values()


def test_echoes_under_one_uid_are_told_apart_in_the_reason():
    slices = [
        replace(
            h, number=h.number + n * 50, sop_instance_uid=f"{n}.{h.number}", phases={"EchoTime": te}
        )
        for n, te in enumerate((4.6, 2.3))
        for h in even(6, modality="MR")
    ]
    (candidate,) = group_series(slices, other_pixels)
    (finding,) = candidate.findings
    assert finding.code == "duplicate_slice"
    assert "told apart by EchoTime (2.3, 4.6)" in finding.reason
    assert "EchoTime" in finding.hint


@pytest.mark.parametrize("gone", ["orientation", "position_mm", "pixel_spacing_mm", "pixel_format"])
def test_a_slice_without_a_grid_never_leaves_a_short_series_behind(gone):
    slices = even(6)
    slices[5] = replace(slices[5], **{gone: None})
    (candidate,) = group_series(slices, must_not_be_read)
    assert len(candidate.slices) == 6


def test_a_faulty_file_keeps_its_series_together_and_out():
    fault = Finding("truncated", Outcome.LEFT_OUT, "the file stops within its header")
    slices = even(6)
    slices[5] = replace(slices[5], faults=(fault,), orientation=None, subject_key=None)
    (candidate,) = group_series(slices, must_not_be_read)
    assert (candidate.findings, len(candidate.slices)) == ((fault,), 6)


def test_two_subjects_under_one_series_uid_are_never_mixed():
    slices = even(6)
    slices[5] = replace(slices[5], subject_key="7")
    (candidate,) = group_series(slices, must_not_be_read)
    assert outcomes(candidate) == {"subject_conflict": Outcome.LEFT_OUT}


def test_nothing_of_an_identity_is_in_a_repr():
    assert "007" not in repr(even()[0])
    assert "1.2.3" not in repr(group_series(even(), must_not_be_read))


def frames(depths_mm=None, *, number=0, uid="1.2.3.0", **changes) -> list[InstanceHeader]:
    """Return a stack as the frames of one file."""
    built = even() if depths_mm is None else stack(depths_mm)
    return [
        replace(
            header,
            number=number,
            sop_instance_uid=uid,
            frame=k + 1,
            n_frames=len(built),
            **changes,
        )
        for k, header in enumerate(built)
    ]


def frame_pixels(header: InstanceHeader) -> bytes:
    return str(header.frame).encode()


def test_frames_of_one_file_are_one_series_of_one_file_and_no_pixel_is_read():
    (candidate,) = group_series(frames(), must_not_be_read)
    assert (len(candidate.slices), candidate.n_instances, candidate.findings) == (10, 1, ())


def test_a_copy_of_a_file_is_dropped_frame_by_frame():
    (candidate,) = group_series([*frames(), *frames(number=1)], frame_pixels)
    assert (len(candidate.slices), candidate.n_instances) == (10, 2)
    assert outcomes(candidate) == {"duplicate_identical": Outcome.FIXED}


def test_frames_that_cannot_be_read_are_no_copies_of_each_other():
    doubled = [*frames(), *frames(uid="1.2.3.1", number=1)]
    (candidate,) = group_series(doubled, unreadable)
    assert len(candidate.slices) == 20


def test_one_uid_for_files_of_two_lengths_leaves_the_series_out():
    short = frames([30.0, 33.0], number=1)
    candidates = group_series([*frames(), *short], frame_pixels)
    assert all(outcomes(one)["sop_conflict"] is Outcome.LEFT_OUT for one in candidates)


@pytest.mark.parametrize("second", [[60.0, 63.0, 66.0], [0.0, 3.0, 6.0], [1.0, 4.5]])
def test_stacks_that_make_no_one_volume_are_series_of_their_own(second):
    both = [*frames([0.0, 3.0, 6.0], stack="a"), *frames(second, stack="b", uid="1.2.3.1")]
    candidates = group_series(both, frame_pixels)
    assert sorted(len(one.slices) for one in candidates) == sorted([3, len(second)])
    assert all(outcomes(one) == {"split_geometry": Outcome.WARNED} for one in candidates)


def test_stacks_that_make_one_volume_are_one_series():
    both = [*frames([0.0, 3.0], stack="a"), *frames([6.0, 9.0], stack="b", uid="1.2.3.1")]
    (candidate,) = group_series(both, must_not_be_read)
    assert (len(candidate.slices), candidate.findings) == (4, ())


@pytest.mark.parametrize(("numbers", "n_parts", "n_missing"), [
    ((1, 2), 2, 0), ((1,), 2, 1), ((2,), None, 1), ((1, 3), None, 1), ((1, 2), None, 0),
    ((4, 4), 7, 6),
])  # fmt: skip
def test_missing_parts_of_a_concatenation_are_counted(numbers, n_parts, n_missing):
    slices = [
        header
        for n, number in enumerate(numbers)
        for header in frames(
            [6.0 * n, 6.0 * n + 3.0],
            number=n,
            uid=f"1.2.3.{n}",
            concatenation=Concatenation("1.5", number, n_parts),
        )
    ]
    (candidate,) = group_series(slices, frame_pixels)
    found = [f for f in candidate.findings if f.code == "missing_slice"]
    assert len(found) == bool(n_missing)
    assert all(f.reason.startswith(f"{n_missing} of ") for f in found)
