"""Scans of one subject laid over each other, its lesions followed through them (X5)."""

from pathlib import Path

import numpy as np
import pytest

from lesionary.app.stages.measure import MeasureRequest, measure_series
from lesionary.app.stages.track import ScanToTrack, TrackRequest
from lesionary.app.tracking import follow_subject
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.objects import ObjectStore
from lesionary.measure.tracks.registration import RegistrationKind, Transform

SHAPE, SPACING_MM = (24, 40, 40), (4.0, 3.0, 3.0)


class Still:
    """Lays scans over each other as if nobody had moved, and remembers which it was given."""

    def __init__(self, shift_mm=(0.0, 0.0, 0.0)):
        self.shift_mm = shift_mm
        self.pairs = []

    def register(self, before, after, options=None):
        del options
        self.pairs.append((before.modality, after.modality))
        matrix = np.eye(4)
        matrix[:3, 3] = self.shift_mm
        return Transform(matrix, RegistrationKind.RIGID, 0.9)


@pytest.fixture
def store(tmp_path):
    return ObjectStore(tmp_path / "objects")


def geometry(shift_mm=(0.0, 0.0, 0.0), frame="1.2.3"):
    affine = np.diag([*SPACING_MM, 1.0])[[2, 1, 0, 3]]
    affine[:3, 3] = shift_mm
    return Geometry(SHAPE, affine, frame)


def ball(grid, centre_mm, diameter_mm):
    points = grid.to_world(np.moveaxis(np.indices(SHAPE), 0, -1))
    return np.linalg.norm(points - np.asarray(centre_mm), axis=-1) <= diameter_mm / 2


def scan(store, series, drawn, *, modality="CT", grid=None, region="thorax"):
    """Measure balls, by reader: ``{reader: [(centre_mm, diameter_mm, label)]}``."""
    grid = grid or geometry()
    volume = Volume(np.zeros(SHAPE, dtype=np.int16), grid, modality, Quantity.HU)
    layers, lesions, value = [], {}, 0
    for reader, balls in drawn.items():
        array, texts = np.zeros(SHAPE, dtype=np.uint16), {}
        for centre_mm, diameter_mm, label in balls:
            value += 1
            array[ball(grid, centre_mm, diameter_mm)] = value
            texts[value] = label
            lesions[str(value)] = {
                "reader": reader,
                "segmenter": None,
                "segmenter_version": None,
                "method": "MANUAL",
                "state": "unreviewed",
            }
        layers.append(store.put_label_map(LabelMap(array, grid, texts)))
    object_id = store.put_volume(volume)
    request = MeasureRequest(store.root, object_id, tuple(layers), lesions, 1, 1, "caliper", True)
    measured = measure_series(request)
    kept = ("lesion", "label", "kind", "volume_ml", "diameter_mm", "reader")
    rows = [
        {name: row[name] for name in (*kept, "layer", "value", "first_voxel")}
        for row in measured["lesions"]
    ]
    return ScanToTrack(
        series=series,
        object_id=object_id,
        modality=modality,
        region=region,
        frame_uid=grid.frame_of_reference_uid,
        shape=SHAPE,
        affine=tuple(grid.affine.ravel().tolist()),
        is_annotated=bool(drawn),
        lesions=tuple(rows),
    )


def followed(store, *visits, registration=None):
    timepoints = tuple((str(n), tuple(scans)) for n, scans in enumerate(visits))
    return follow_subject(
        TrackRequest(Path(store.root), "sub-0001", timepoints), registration or Still()
    )


LIVER, LUNG = (60.0, 60.0, 40.0), (30.0, 80.0, 70.0)


def ends(found):
    return [
        (link["from"]["lesion"], link["to"]["lesion"], link["relation"]) for link in found["links"]
    ]


def test_a_tumour_that_shrinks_keeps_its_track(store):
    found = followed(
        store,
        [scan(store, "ser-1", {"": [(LIVER, 24, "m,liver"), (LUNG, 15, "m,lung")]})],
        [scan(store, "ser-2", {"": [(LIVER, 12, "m,liver"), (LUNG, 18, "m,lung")]})],
    )
    assert ends(found) == [(1, 2, "same"), (2, 1, "same")]
    assert {link["registration"] for link in found["links"]} == {"rigid"}


def test_a_scan_that_lies_elsewhere_is_brought_back(store):
    shift_mm = np.array([30.0, -12.0, 40.0])
    there = geometry(shift_mm)
    found = followed(
        store,
        [scan(store, "ser-1", {"": [(LIVER, 20, "m,liver")]})],
        [scan(store, "ser-2", {"": [(LIVER + shift_mm, 20, "m,liver")]}, grid=there)],
        registration=Still(tuple(shift_mm)),
    )
    assert ends(found) == [(1, 1, "same")]


def test_readers_share_tracks_and_each_lesion_has_its_own_number(store):
    one = {"anna": [(LIVER, 24, "m,liver")], "ben": [(LIVER, 20, "m,liver")]}
    two = {"anna": [(LIVER, 15, "m,liver")], "ben": [(LIVER, 18, "m,liver"), (LUNG, 9, "m,lung")]}
    found = followed(store, [scan(store, "ser-1", one)], [scan(store, "ser-2", two)])
    places = {(p["series"], p["lesion"]) for p in found["places"]}
    twins = {(twin["series"], twin["lesion"]) for twin, _ in found["twins"]}
    assert len(places) + len(twins) == 5
    assert {link["track"] for link in found["links"]} == {"A", "B"}
    assert {end["series"] for link in found["links"] for end in (link["from"], link["to"])} == {
        "ser-1",
        "ser-2",
    }


def test_series_of_one_frame_need_no_registration(store):
    thick = scan(store, "ser-2", {"": [(LIVER, 22, "m,liver")]})
    found = followed(store, [scan(store, "ser-1", {"": [(LIVER, 24, "m,liver")]}), thick])
    assert found["links"] == []
    assert len(found["places"]) == len(found["twins"]) == 1


def test_scans_of_one_modality_and_region_stand_for_their_time_points(store):
    registration = Still()
    before = [
        scan(store, "ser-1", {"": [(LIVER, 24, "m,liver")]}, modality="PT"),
        scan(store, "ser-2", {}, modality="CT", region="abdomen"),
    ]
    after = [scan(store, "ser-3", {"": [(LIVER, 24, "m,liver")]}, modality="CT", region="abdomen")]
    followed(store, before, after, registration=registration)
    assert registration.pairs == [("CT", "CT")]


def test_one_visit_has_places_and_no_links(store):
    found = followed(store, [scan(store, "ser-1", {"": [(LIVER, 24, "m,liver")]})])
    assert (len(found["places"]), found["links"], found["transforms"]) == (1, [], [])


def test_the_same_scans_give_the_same_document(store):
    visits = [
        [scan(store, f"ser-{n}", {"": [(LIVER, 24 - 4 * n, "m,liver"), (LUNG, 15, "m,lung")]})]
        for n in range(3)
    ]
    assert followed(store, *visits) == followed(store, *visits)
