"""What stands twice: one slice stored again, or two slices that claim one place or one UID."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.header import InstanceHeader
from lesionary.ingest.place import depth_mm, is_near, steady_order

Digest: TypeAlias = Callable[[InstanceHeader], bytes | None]
"""Hash of an instance's stored values; None where they cannot be read."""

SAME_PLACE_MM = 1e-3


def settle_places(
    grid: Sequence[InstanceHeader], digest: Digest
) -> tuple[list[InstanceHeader], list[Finding]]:
    """Keep one instance a place; say what became of the others."""
    places = _places(grid)
    kept: list[InstanceHeader] = []
    n_copies, crowded = 0, []
    for place in places:
        if len(place) == 1:
            kept.append(place[0])
            continue
        contents = _distinct(place, digest)
        n_copies += len(place) - len(contents)
        kept.extend(contents)
        if len(contents) > 1:
            crowded.append(contents)
    findings = []
    if n_copies:
        findings.append(_copies_finding(n_copies))
    if crowded:
        findings.append(_crowded_finding(crowded, len(places)))
    return kept, findings


def _places(grid: Sequence[InstanceHeader]) -> list[list[InstanceHeader]]:
    """Gather instances that share a position; those without one stand each alone."""
    places: list[list[InstanceHeader]] = []
    for header in sorted(grid, key=steady_order):
        if (
            places
            and header.position_mm is not None
            and is_near(places[-1][0].position_mm, header.position_mm, SAME_PLACE_MM)
        ):
            places[-1].append(header)
        else:
            places.append([header])
    return places


def _content(header: InstanceHeader, digest: Digest) -> Hashable:
    """Return what makes two instances the same; one that cannot be read is like no other."""
    values = digest(header)
    if values is None:
        return "unreadable", header.number, header.frame
    return values, header.rescale, header.padding


def _distinct(place: Sequence[InstanceHeader], digest: Digest) -> list[InstanceHeader]:
    contents: dict[Hashable, InstanceHeader] = {}
    for header in place:
        contents.setdefault(_content(header, digest), header)
    return list(contents.values())


def _copies_finding(n_copies: int) -> Finding:
    noun = "slice stands" if n_copies == 1 else "slices stand"
    return Finding(
        "duplicate_identical",
        Outcome.FIXED,
        f"{n_copies} {noun} twice with the same pixels at the same place: one kept",
    )


def _crowded_finding(crowded: Sequence[Sequence[InstanceHeader]], n_places: int) -> Finding:
    where = depth_mm(crowded[0][0])
    reason = (
        f"{len(crowded)} of {n_places} places hold several slices with different pixels,"
        f" the first at {where:.1f} mm"
    )
    telling = _what_tells_apart(crowded)
    if telling is None or len(crowded) < n_places:
        return Finding("duplicate_slice", Outcome.LEFT_OUT, reason, "keep one slice at each place")
    keyword, values = telling
    listed = ", ".join(str(value) for value in values)
    return Finding(
        "duplicate_slice",
        Outcome.LEFT_OUT,
        f"{reason}: {len(values)} images at every place, told apart by {keyword} ({listed})",
        f"give each value of {keyword} a series of its own",
    )


def _what_tells_apart(
    crowded: Sequence[Sequence[InstanceHeader]],
) -> tuple[str, list[float | str]] | None:
    """Find the element that takes the same distinct values at every place."""
    first = crowded[0]
    for keyword in first[0].phases:
        wanted = {header.phases.get(keyword) for header in first}
        if len(wanted) == len(first) and all(
            len(place) == len(first) and {header.phases.get(keyword) for header in place} == wanted
            for place in crowded
        ):
            values = [value for value in wanted if value is not None]
            return keyword, sorted(values, key=lambda value: (isinstance(value, str), value))
    return None


def conflicting_sop_uids(headers: Sequence[InstanceHeader], digest: Digest) -> frozenset[str]:
    """Find SOP instance UIDs that stand for two contents, within a series or across them.

    The frames of one file are parts of one content, and compared with the same of another.
    """
    by_uid: dict[tuple[str, int], list[InstanceHeader]] = defaultdict(list)
    sizes: dict[str, int] = {}
    doubted: set[str] = set()
    for header in headers:
        uid = header.sop_instance_uid
        if uid:
            by_uid[uid, header.frame].append(header)
            if sizes.setdefault(uid, header.n_frames) != header.n_frames:
                doubted.add(uid)
    for (uid, _), same in by_uid.items():
        if len(same) > 1 and uid not in doubted and not _is_one(same, digest):
            doubted.add(uid)
    return frozenset(doubted)


def _is_one(same: Sequence[InstanceHeader], digest: Digest) -> bool:
    first, *rest = same
    return all(
        other.series_instance_uid == first.series_instance_uid
        and other.position_mm == first.position_mm
        and other.orientation == first.orientation
        and _content(other, digest) == _content(first, digest)
        for other in rest
    )
