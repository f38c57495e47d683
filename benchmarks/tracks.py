"""How many links between time points are right, on phantoms whose truth is known.

``python -m benchmarks.tracks [--first 100] [--seeds 20] [--fields mixed|other] [--json]``. Patients
are scanned four times, shifted by 30 mm and turned by 10° about a random axis each time, with other
slices each time. Constants were chosen on seeds below 100; report seeds from 100 on.

A link counts as right where it joins the right lesions under the right relation. ``gone`` counts
once, at the first time point at which a lesion is missing. What was proposed but is not true
counts as extra. A lesion that is seen again after a gap is a relation of its own here, ``again``;
so is any link with a lesion that the first or the last slice of a scan cuts, ``cut``, for its mask
may show one lobe of a merger only, or one lesion in two pieces.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lesionary.engines.registration import CoarseRegistration
from lesionary.measure.lesions import MeasureOptions, measure_lesions
from lesionary.measure.tracks.following import follow
from lesionary.measure.tracks.lesions import tracked_lesions
from lesionary.measure.tracks.records import (
    Place,
    Proposal,
    Relation,
    TimepointLesions,
    View,
)
from lesionary.measure.tracks.registration import Registration, Transform
from lesionary.measure.tracks.weaving import Tracks
from lesionary.phantoms.ct import CtSpec, PhantomScan, Scenario, Slices, thorax_abdomen
from lesionary.phantoms.scenario import Course, LesionPlan
from lesionary.phantoms.tumours import PhantomLesion

AGAIN, CUT = "again", "cut"

PLAN = LesionPlan(
    {"t,lung": 1, "m,lung": 8, "m,liver": 6, "n,mediastinum": 1, "n,retroperitoneal": 1},
    courses=tuple(Course),
    smallest_mm=10,
)
MIXED_SLICES = {1: Slices(128, 2.75, -165), 2: Slices(92, 3.8, -165), 3: Slices(50, 7.0, -165)}
OTHER_FIELDS = {1: Slices(62, 3.0, 0), 2: Slices(64, 5.5, -165), 3: Slices(60, 3.0, -165)}
"""Chest alone, then all, then belly alone."""

Key = tuple[int, int | None, int, int | None]
"""Time point and value before, time point and value after; None where there is no lesion."""


@dataclass(eq=False)
class Tally:
    """What was right, by relation.

    ``n`` true links of which ``right`` were proposed, ``extra`` proposals that are not true, and
    how far each registration was off at the lesions, in mm.
    """

    n: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    extra: int = 0
    misplaced_mm: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        """Add another patient's."""
        self.n += other.n
        self.right += other.right
        self.extra += other.extra
        self.misplaced_mm += other.misplaced_mm
        self.kinds += other.kinds

    @property
    def share(self) -> float:
        """Share of all true links that were proposed."""
        return self.right.total() / max(self.n.total(), 1)


def follow_up(other_slices: dict[int, Slices], plan: LesionPlan = PLAN) -> CtSpec:
    """Return what to scan: four time points, 30 mm and 10° apart from the first."""
    return CtSpec(
        days=(0, 56, 112, 168),
        motion_mm=30.0,
        motion_degrees=10.0,
        is_full_motion=True,
        lesions=plan,
        other_slices=other_slices,
    )


def true_transform(before: PhantomScan, after: PhantomScan) -> Transform:
    """Return how the patient really moved."""
    return Transform(_pose(after) @ np.linalg.inv(_pose(before)))


def _pose(scan: PhantomScan) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = scan.pose.rotation, scan.pose.shift_mm
    return matrix


def lesions_of(scan: PhantomScan, t: int) -> tuple[TimepointLesions, dict[int, int]]:
    """Measure the true masks; also tell the label map's value of each row."""
    measured = measure_lesions(None, scan.truth, MeasureOptions(min_voxels=1, keep_largest=True))
    lesions = tracked_lesions(scan.truth, measured, Place(str(t), "ct"))
    view = View("ct", scan.truth.geometry, "CT")
    values = {row.lesion: row.value for row in measured.lesions}
    return TimepointLesions("phantom", str(t), (view,), lesions), values


def expected(scenario: Scenario) -> dict[Key, str]:
    """Tell the true links; a lesion back after a gap leads from where it was last seen."""
    seen = [{lesion.value: lesion for lesion in scan.lesions} for scan in scenario.timepoints]
    truth: dict[Key, str] = {}
    for link in scenario.links:
        t = link.from_timepoint
        key: Key = (t, link.from_value, t + 1, link.to_value)
        if link.to_value is not None and link.from_value is None:
            earlier = _last_seen(seen[: t + 1], seen[t + 1][link.to_value])
            if earlier is not None:
                truth[*earlier, t + 1, link.to_value] = AGAIN
                continue
        truth[key] = link.relation.value
    return truth


def _last_seen(
    seen: Sequence[dict[int, PhantomLesion]], lesion: PhantomLesion
) -> tuple[int, int] | None:
    tracks = {lesion.track, *lesion.merged}
    for t in range(len(seen) - 1, -1, -1):
        kin = [other for other in seen[t].values() if tracks & {other.track, *other.merged}]
        if kin:
            parts = [other for other in kin if other.part == lesion.part]
            return t, (parts or kin)[0].value
    return None


def proposed(links: Sequence[Proposal], values: Sequence[dict[int, int]]) -> dict[Key, str]:
    """Tell the proposed links by values; ``gone`` at the first time point only."""
    found: dict[Key, str] = {}
    for link in links:
        a, b = link.from_place, link.to_place
        t, u = int(a.timepoint), int(b.timepoint)
        relation = link.relation.value
        if u - t > 1:
            if link.relation is Relation.GONE:
                continue
            relation = AGAIN
        key = (
            t,
            None if a.lesion is None else values[t][a.lesion],
            u,
            None if b.lesion is None else values[u][b.lesion],
        )
        found[key] = relation
    return found


def track(
    scenario: Scenario, registration: Registration | None = None
) -> tuple[Tracks, list[dict[int, int]], dict[tuple[str, str], Transform]]:
    """Follow a patient's lesions; with the true motion where no registration is given."""
    both = [lesions_of(scan, t) for t, scan in enumerate(scenario.timepoints)]
    transforms = {}
    for t in range(len(both) - 1):
        before, after = scenario.timepoints[t], scenario.timepoints[t + 1]
        transforms[str(t), str(t + 1)] = (
            true_transform(before, after)
            if registration is None
            else registration.register(before.volume, after.volume)
        )
    tracks = follow([lesions for lesions, _ in both], transforms)
    return tracks, [values for _, values in both], transforms


def score(
    scenario: Scenario,
    tracks: Tracks,
    values: Sequence[dict[int, int]],
    transforms: Mapping[tuple[str, str], Transform],
) -> Tally:
    """Compare one patient's proposals, as :func:`track` gives them, with the truth."""
    truth, found = expected(scenario), proposed(tracks.links, values)
    cut = [_cut(scan) for scan in scenario.timepoints]
    tally = Tally()
    for key, relation in truth.items():
        name = CUT if key[1] in cut[key[0]] or key[3] in cut[key[2]] else relation
        tally.n[name] += 1
        tally.right[name] += found.get(key) == relation
    tally.extra = len(set(found) - set(truth))
    for (a, _), transform in transforms.items():
        before, after = scenario.timepoints[int(a)], scenario.timepoints[int(a) + 1]
        points = np.array([lesion.centre_mm for lesion in before.lesions]).reshape(-1, 3)
        off = transform.apply(points) - true_transform(before, after).apply(points)
        tally.misplaced_mm += np.linalg.norm(off, axis=1).tolist()
        tally.kinds[transform.kind.value] += 1
    return tally


def _cut(scan: PhantomScan) -> frozenset[int]:
    """Return the lesions that lie on the first or the last slice."""
    ends = scan.truth.array[[0, -1]]
    return frozenset(np.unique(ends[ends > 0]).tolist())


def tallies(spec: CtSpec, seeds: Sequence[int]) -> Iterator[tuple[int, Tally]]:
    """Score many patients."""
    for seed in seeds:
        scenario = thorax_abdomen(spec, seed)
        yield seed, score(scenario, *track(scenario, CoarseRegistration()))


def main() -> int:
    """Print the shares by relation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracks")
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--fields", choices=("mixed", "other"), default="mixed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    spec = follow_up(MIXED_SLICES if given.fields == "mixed" else OTHER_FIELDS)
    total, start = Tally(), time.perf_counter()
    for seed, tally in tallies(spec, range(given.first, given.first + given.seeds)):
        total.add(tally)
        right, n = tally.right.total(), tally.n.total()
        print(f"seed {seed}: {right} of {n}, {tally.extra} extra", file=sys.stderr, flush=True)
    result = {
        "share": total.share,
        "by_relation": {name: [total.right[name], total.n[name]] for name in sorted(total.n)},
        "extra": total.extra,
        "registration": dict(total.kinds),
        "misplaced_mm": {
            "median": float(np.median(total.misplaced_mm)),
            "largest": float(np.max(total.misplaced_mm)),
        },
        "seconds": time.perf_counter() - start,
    }
    print(json.dumps(result, indent=None if given.json else 2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
