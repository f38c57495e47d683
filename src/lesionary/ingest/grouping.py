"""Group image headers into series, and settle what stands twice.

Instances of one series UID are split where their grids differ (`split_geometry`), scout views are
dropped (`localizer`), and instances that lie at one place are told apart: the same pixels are one
slice stored twice, other pixels leave the series out. Files may come in any order.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.duplicates import Digest, conflicting_sop_uids, settle_places
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.place import depth_mm, folder_of, is_near, normal_of, steady_order
from lesionary.ingest.stack import check_stack, stack_of

SAME_COSINE = 1e-3
SAME_SPACING = 1e-4
"""Relative difference of pixel spacings of one grid."""

SCOUT_SLICES = 3
SCOUT_SHARE = 0.25
SCOUT_COSINE = math.cos(math.radians(10.0))
"""A few slices, less than this share of the rest and turned by more than 10°, are scout views."""

SCOUT_TYPES = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})


@dataclass(frozen=True, slots=True)
class SeriesCandidate:
    """Instances that may make one volume, not yet judged.

    Parameters
    ----------
    slices : tuple of InstanceHeader
        One a place, in order of their places where these are known: files, or frames of files.
    findings : tuple of Finding
        What grouping noticed; one that is ``LEFT_OUT`` refuses the series.
    n_instances : int
        Files that belonged to it, the dropped ones included.
    """

    slices: tuple[InstanceHeader, ...]
    findings: tuple[Finding, ...]
    n_instances: int

    @property
    def number(self) -> int:
        """Lowest number of its files: the candidate's name to the user."""
        return min(header.number for header in self.slices)


def group_series(headers: Iterable[InstanceHeader], digest: Digest) -> tuple[SeriesCandidate, ...]:
    """Group image instances into candidates for volumes.

    Parameters
    ----------
    headers : iterable of InstanceHeader
        Images and frames of images only, in any order.
    digest : callable
        Asked only for instances that share a place or a SOP instance UID.

    Returns
    -------
    tuple of SeriesCandidate
        In order of series UID and place; no input gives none.
    """
    ordered = sorted(headers, key=steady_order)
    doubted = conflicting_sop_uids(ordered, digest)
    series: dict[tuple[str, str], list[InstanceHeader]] = defaultdict(list)
    for header in ordered:
        series[_series_key(header)].append(header)
    return tuple(
        candidate
        for members in series.values()
        for candidate in _candidates(members, doubted, digest)
    )


def _series_key(header: InstanceHeader) -> tuple[str, str]:
    """Series UID, whatever the study UID; files whose series UID was blanked, by folder."""
    return header.series_instance_uid, "" if header.series_instance_uid else folder_of(header)


def _candidates(
    members: Sequence[InstanceHeader], doubted: frozenset[str], digest: Digest
) -> list[SeriesCandidate]:
    slices = [header for header in members if SCOUT_TYPES.isdisjoint(header.image_type)]
    if not slices:
        scouts_only = _scouts_finding(len(members), is_all=True)
        return [SeriesCandidate(tuple(members), (scouts_only,), _n_files(members))]
    findings = _doubts(slices, doubted)
    if _is_refused(findings) or not all(map(_has_grid, slices)):
        # Told apart by grid, a damaged slice would leave a series that is short and looks sound.
        return [SeriesCandidate(tuple(slices), findings, _n_files(members))]
    grids = _without_lone_scouts([stack for grid in _split(slices) for stack in _stacks(grid)])
    kept = {id(header) for grid in grids for header in grid}
    scouts = [header for header in members if id(header) not in kept]
    n_scouts = len(scouts)
    if n_scouts:
        findings = (*findings, _scouts_finding(n_scouts, is_all=False))
    if len(grids) > 1:
        findings = (*findings, _split_finding(grids))
    return [_settled(grid, findings, digest, _n_files([*grid, *scouts])) for grid in grids]


def _n_files(headers: Iterable[InstanceHeader]) -> int:
    return len({header.number for header in headers})


def _is_refused(findings: Iterable[Finding]) -> bool:
    return any(finding.outcome is Outcome.LEFT_OUT for finding in findings)


def _has_grid(header: InstanceHeader) -> bool:
    elements = (header.orientation, header.position_mm, header.pixel_spacing_mm)
    return header.pixel_format is not None and None not in elements


def _doubts(slices: Sequence[InstanceHeader], doubted: frozenset[str]) -> tuple[Finding, ...]:
    """Say what is wrong with the series as a whole: its files' faults, and whose they are."""
    findings = [
        fault for header in slices for fault in header.faults if fault.outcome is Outcome.LEFT_OUT
    ]
    findings += _missing_parts(slices)
    n_subjects = len({header.subject_key for header in slices})
    if n_subjects > 1 and not findings:
        findings.append(
            Finding(
                "subject_conflict",
                Outcome.LEFT_OUT,
                f"one series holds files of {n_subjects} subjects",
                "give each subject's files their own series UID, or ingest them apart",
            )
        )
    if any(header.sop_instance_uid in doubted for header in slices):
        findings.append(
            Finding(
                "sop_conflict",
                Outcome.LEFT_OUT,
                "one SOP instance UID stands for two different contents",
                "export the series again from where it came from",
            )
        )
    n_studies = len({header.study_instance_uid for header in slices})
    if n_studies > 1:
        findings.append(
            Finding(
                "study_mixed",
                Outcome.WARNED,
                f"the slices of one series name {n_studies} studies: taken as one",
            )
        )
    return tuple(dict.fromkeys(findings))


def _missing_parts(slices: Sequence[InstanceHeader]) -> list[Finding]:
    """Say which enhanced images were written in parts that are not all there."""
    parts: dict[str, set[int]] = defaultdict(set)
    sizes: dict[str, int] = {}
    for part in (header.concatenation for header in slices):
        if part is not None:
            parts[part.uid].add(part.number)
            sizes[part.uid] = max(sizes.get(part.uid, 0), part.n_parts or part.number)
    n_missing = sum(sizes[uid] - len(numbers) for uid, numbers in parts.items())
    if n_missing <= 0:
        return []
    return [
        Finding(
            "missing_slice",
            Outcome.LEFT_OUT,
            f"{n_missing} of {sum(sizes.values())} files that make one image are missing",
            "export or copy the series again, with all its files",
        )
    ]


def _settled(
    grid: Sequence[InstanceHeader], findings: tuple[Finding, ...], digest: Digest, n_files: int
) -> SeriesCandidate:
    kept, more = settle_places(grid, digest)
    return SeriesCandidate(tuple(kept), (*findings, *more), n_files)


def _scouts_finding(n_scouts: int, *, is_all: bool) -> Finding:
    noun = "scout view" if n_scouts == 1 else "scout views"
    if is_all:
        return Finding("localizer", Outcome.IGNORED, f"only {n_scouts} {noun} for planning")
    return Finding("localizer", Outcome.FIXED, f"{n_scouts} {noun} under this series UID dropped")


def _split_finding(grids: Sequence[Sequence[InstanceHeader]]) -> Finding:
    sizes = " + ".join(str(len(grid)) for grid in grids)
    return Finding(
        "split_geometry",
        Outcome.WARNED,
        f"one series UID holds {len(grids)} grids ({sizes} slices): each is a series of its own",
    )


def _split(members: Sequence[InstanceHeader]) -> list[list[InstanceHeader]]:
    """Split by grid: matrix, pixel spacing, orientation, frame of reference, modality."""
    groups: list[list[InstanceHeader]] = []
    for header in members:
        for group in groups:
            if _is_one_grid(group[0], header):
                group.append(header)
                break
        else:
            groups.append([header])
    return groups


def _stacks(grid: list[InstanceHeader]) -> list[list[InstanceHeader]]:
    """Split frames of one grid by StackID, where together they are no regular volume."""
    stacks: dict[str, list[InstanceHeader]] = defaultdict(list)
    for header in grid:
        stacks[header.stack].append(header)
    orientation = grid[0].orientation
    # An orientation that is none leaves the series out, and it does so as a whole.
    if len(stacks) == 1 or orientation is None or not normal_of(orientation).any():
        return [grid]
    found = check_stack(stack_of(sorted(grid, key=depth_mm)))
    return list(stacks.values()) if _is_refused(found) else [grid]


def _is_one_grid(first: InstanceHeader, other: InstanceHeader) -> bool:
    return (
        first.modality == other.modality
        and first.frame_of_reference_uid == other.frame_of_reference_uid
        and _matrix(first) == _matrix(other)
        and is_near(first.orientation, other.orientation, SAME_COSINE)
        and is_near(
            first.pixel_spacing_mm,
            other.pixel_spacing_mm,
            SAME_SPACING * max(first.pixel_spacing_mm or (1.0,)),
        )
    )


def _matrix(header: InstanceHeader) -> tuple[int, int] | None:
    grid = header.pixel_format
    return None if grid is None else (grid.rows, grid.columns)


def _without_lone_scouts(grids: list[list[InstanceHeader]]) -> list[list[InstanceHeader]]:
    """Drop what looks like scout views beside a large stack."""
    main = max(grids, key=len)
    return [grid for grid in grids if grid is main or not _looks_like_scout(grid, main)]


def _looks_like_scout(grid: Sequence[InstanceHeader], main: Sequence[InstanceHeader]) -> bool:
    first, axis = grid[0].orientation, main[0].orientation
    if first is None or axis is None:
        return False
    is_turned = abs(float(normal_of(first) @ normal_of(axis))) < SCOUT_COSINE
    return is_turned and len(grid) <= SCOUT_SLICES and len(grid) < SCOUT_SHARE * len(main)
