"""Four time points with known truth: the issue's bar is 98 % of links, every split and merger."""

from dataclasses import replace

import pytest
from benchmarks.tracks import (
    MIXED_SLICES,
    OTHER_FIELDS,
    Tally,
    expected,
    follow_up,
    score,
    tallies,
    track,
)

from lesionary.engines.registration import CoarseRegistration
from lesionary.phantoms.ct import Slices, thorax_abdomen

FLAGGED = ("split", "merge")


def check(total):
    assert total.share >= 0.98
    assert total.extra <= 0.02 * total.n.total()
    for relation in FLAGGED:
        assert total.right[relation] == total.n[relation]
    assert total.n["split"] > 0


@pytest.fixture(scope="module")
def scenario():
    slices = {1: Slices(66, 5.0, -165), 2: Slices(55, 6.0, -165), 3: Slices(44, 7.5, -165)}
    spec = replace(follow_up(slices), shape=(51, 96, 96), spacing_mm=(6.5, 4.0, 4.0))
    return thorax_abdomen(spec, seed=1)


@pytest.fixture(scope="module")
def tracked(scenario):
    return track(scenario, CoarseRegistration())


def test_the_truth_holds_every_relation(scenario):
    assert {"same", "split", "merge", "new", "gone", "again"} == set(expected(scenario).values())


def test_links_are_right_after_registration(scenario, tracked):
    check(score(scenario, *tracked))


def test_registration_needs_no_fallback(tracked):
    _, _, transforms = tracked
    assert {transform.kind.value for transform in transforms.values()} == {"rigid"}


def test_a_track_is_one_tumour_throughout(scenario, tracked):
    """Lesions of one proposed track belong to one true track, mergers aside."""
    tracks, values, _ = tracked
    true = {}
    for place, member in tracks.members.items():
        t = int(place.timepoint)
        value = values[t][place.lesion]
        (lesion,) = (each for each in scenario.timepoints[t].lesions if each.value == value)
        true.setdefault(member.track, []).append({lesion.track, *lesion.merged})
    for named in true.values():
        assert set.intersection(*named)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [MIXED_SLICES, OTHER_FIELDS], ids=["mixed", "other"])
def test_links_are_right_over_many_patients(fields):
    total = Tally()
    for _, tally in tallies(follow_up(fields), range(200, 208)):
        total.add(tally)
    check(total)
