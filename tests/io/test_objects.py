import numpy as np
import pytest

from lesionary.core.errors import UnreadableSeriesError
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.objects import ObjectStore

AFFINE = np.array([[0, 0, 0.7, -100.1], [0, 0.7, 0, 3.3], [2.5, 0, 0, 7], [0, 0, 0, 1.0]])


@pytest.fixture
def store(tmp_path) -> ObjectStore:
    return ObjectStore(tmp_path / "objects")


def a_volume(seed: int = 0, *, with_invalid: bool = False) -> Volume:
    array = np.random.default_rng(seed).integers(-1024, 3000, (5, 6, 7)).astype(np.int16)
    geometry = Geometry(array.shape, AFFINE, "2.25.1")
    invalid = array < 0 if with_invalid else None
    return Volume(array, geometry, "CT", Quantity.HU, invalid)


def test_a_volume_comes_back_as_it_was(store):
    volume = a_volume(with_invalid=True)
    back = store.get_volume(store.put_volume(volume))
    assert np.array_equal(back.array, volume.array)
    assert back.array.dtype == np.int16
    assert np.array_equal(back.invalid, volume.invalid)
    assert np.array_equal(back.geometry.affine, volume.geometry.affine)
    assert (back.modality, back.quantity) == ("CT", Quantity.HU)
    assert back.geometry.frame_of_reference_uid == "2.25.1"


def test_a_label_map_comes_back_with_its_texts(store):
    labels = LabelMap(
        np.arange(24, dtype=np.uint16).reshape(2, 3, 4),
        Geometry((2, 3, 4), np.eye(4)),
        {1: "m,liver", 23: "lesion"},
    )
    back = store.get_label_map(store.put_label_map(labels))
    assert np.array_equal(back.array, labels.array)
    assert back.labels == labels.labels


def test_the_name_follows_content_not_memory_layout(store):
    volume = a_volume()
    turned = Volume(
        np.asfortranarray(volume.array), volume.geometry, volume.modality, volume.quantity
    )
    swapped = Volume(volume.array.astype(">i2"), volume.geometry, volume.modality, volume.quantity)
    assert store.put_volume(volume) == store.put_volume(turned) == store.put_volume(swapped)


@pytest.mark.parametrize("change", ["voxel", "affine", "invalid", "quantity"])
def test_another_content_has_another_name(store, change):
    volume = a_volume()
    array, affine = volume.array.copy(), volume.geometry.affine.copy()
    invalid, quantity = None, volume.quantity
    if change == "voxel":
        array[0, 0, 0] += 1
    if change == "affine":
        affine[0, 3] = np.nextafter(affine[0, 3], 0)
    if change == "invalid":
        invalid = np.zeros(array.shape, dtype=bool)
    if change == "quantity":
        quantity = Quantity.ARBITRARY
    other = Volume(array, Geometry(array.shape, affine, "2.25.1"), "CT", quantity, invalid)
    assert store.put_volume(other) != store.put_volume(volume)


def test_a_changed_byte_is_found(store):
    object_id = store.put_volume(a_volume())
    store.verify(object_id)
    path = store.path_of(object_id)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableSeriesError) as caught:
        store.verify(object_id)
    assert caught.value.code == "object_changed"


def test_a_cut_object_and_a_missing_one_are_told_apart(store):
    object_id = store.put_volume(a_volume())
    path = store.path_of(object_id)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableSeriesError) as cut:
        store.get_volume(object_id)
    path.unlink()
    with pytest.raises(UnreadableSeriesError) as missing:
        store.get_volume(object_id)
    assert (cut.value.code, missing.value.code) == ("object_changed", "object_missing")


def test_a_label_map_is_no_volume(store):
    labels = LabelMap(np.zeros((1, 1, 1), dtype=np.uint16), Geometry((1, 1, 1), np.eye(4)))
    with pytest.raises(UnreadableSeriesError):
        store.get_volume(store.put_label_map(labels))
