import base64
import errno
import io
import json
import os
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip_lib

from lesionary.core.errors import InputError, UnreadableSeriesError, WorkflowError
from lesionary.core.identity import canonical_json
from lesionary.core.volume import Geometry, LabelMap, Quantity, Volume
from lesionary.io.durable import PARTIAL
from lesionary.io.object_file import PLAIN, ROWS
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
    with pytest.raises(UnreadableSeriesError) as unmeasured:
        store.size_of(object_id)
    assert unmeasured.value.code == "object_missing"


def test_a_label_map_is_no_volume(store):
    labels = LabelMap(np.zeros((1, 1, 1), dtype=np.uint16), Geometry((1, 1, 1), np.eye(4)))
    with pytest.raises(UnreadableSeriesError):
        store.get_volume(store.put_label_map(labels))


# What follows was written by the first version of the store; its names hold for ever.

OLD_VOLUME = (
    "ef0d9bf15fafd99c858733096335f744e2ffac00384f6c981750be612395329c",
    "TFNOT0JKMQrWAAAAAAAAAHsiYWZmaW5lIjpbMC4wLDAuMCwwLjcsLTEwMC4xLDAuMCwwLjcsMC4wLDMuMywyLjUsMC4wLD"
    "AuMCw3LjAsMC4wLDAuMCwwLjAsMS4wXSwiYXJyYXlzIjpbeyJkdHlwZSI6IjxpMiIsInNpemUiOjYwfV0sImZyYW1lX29m"
    "X3JlZmVyZW5jZV91aWQiOiIyLjI1LjEiLCJraW5kIjoidm9sdW1lIiwibW9kYWxpdHkiOiJDVCIsInF1YW50aXR5IjoiaH"
    "UiLCJzaGFwZSI6WzMsNCw1XX0fiwgAAAAAAAD/BcEDAgMBAMCwzrb1/3/Ntg5bL5m7cOnKtRu37tx78OjJsxev3rz78OnL"
    "tx+/BoZGxv78q5AiTYYsOfIUKFKiTIUqNeo0aNKiTYcuPfoMGDJizIQpMxKbh6bxeAAAAA==",
)
OLD_VOLUME_WITH_INVALID = (
    "47059e69bb6cdddd8f11faba2e0c5abf23ea6a5e3dd4ee8cddeca6ab69bfc66d",
    "TFNOT0JKMQryAAAAAAAAAHsiYWZmaW5lIjpbMC4wLDAuMCwwLjcsLTEwMC4xLDAuMCwwLjcsMC4wLDMuMywyLjUsMC4wLD"
    "AuMCw3LjAsMC4wLDAuMCwwLjAsMS4wXSwiYXJyYXlzIjpbeyJkdHlwZSI6IjxmNCIsInNpemUiOjYwfSx7ImR0eXBlIjoi"
    "fHUxIiwic2l6ZSI6OH1dLCJmcmFtZV9vZl9yZWZlcmVuY2VfdWlkIjoiMi4yNS4xIiwia2luZCI6InZvbHVtZSIsIm1vZG"
    "FsaXR5IjoiUFQiLCJxdWFudGl0eSI6InN1dmJ3Iiwic2hhcGUiOlszLDQsNV19H4sIAAAAAAAA/x3BoXECUQAFwC2BEiiB"
    "CnKvBEqgBEo4iUQiTyKRqPwnkUjkSWQKyAyZyS4/5V3W8irP8igt93Ir17KUSzmXU5nLsRzKvqTsyrZsirIOOlgG8yADg/"
    "nbv/kLE5mYJ5aJTqwTwiZswy4k7MMhHMMcTuEcLmEJ13AL99DwCM/wCmt45/P5/MIf4Idg7/gAAAA=",
)
OLD_LABELS = (
    "60c6b07a37ad5a474288bf71aaaf46439bd7dde386c618cc5a6c3c1506ad7650",
    "TFNOT0JKMQrhAAAAAAAAAHsiYWZmaW5lIjpbMC4wLDAuMCwwLjcsLTEwMC4xLDAuMCwwLjcsMC4wLDMuMywyLjUsMC4wLD"
    "AuMCw3LjAsMC4wLDAuMCwwLjAsMS4wXSwiYXJyYXlzIjpbeyJkdHlwZSI6Ijx1MiIsInNpemUiOjYwfV0sImZyYW1lX29m"
    "X3JlZmVyZW5jZV91aWQiOiIyLjI1LjEiLCJraW5kIjoibGFiZWxzIiwibGFiZWxzIjp7IjY1NTM1IjoibMOpc2lvbiIsIj"
    "ciOiJtLGxpdmVyIn0sInNoYXBlIjpbMyw0LDVdfR+LCAAAAAAAAP9jIAuwM7AzQAA7AzsDMvj/n4EoAAAW8Q5OeAAAAA==",
)
LARGE_LABELS = "276fa4357ec0786a4e51a9af25a992793cb6cf6e549c0aa3763fb9168964c277"

COUNTING = np.arange(-30, 30, dtype=np.int16).reshape(3, 4, 5)
COUNTED = Geometry(COUNTING.shape, AFFINE, "2.25.1")


def old_volumes() -> tuple[Volume, Volume]:
    plain = Volume(COUNTING, COUNTED, "CT", Quantity.HU)
    quarters = COUNTING.astype(np.float32) / 4
    return plain, Volume(quarters, COUNTED, "PT", Quantity.SUVBW, COUNTING < 0)


def old_labels() -> LabelMap:
    array = np.zeros(COUNTING.shape, np.uint16)
    array[1, 1:3, 2:4] = 7
    array[2, 0, 0] = 65535
    return LabelMap(array, COUNTED, {7: "m,liver", 65535: "lésion"})


def large_labels() -> LabelMap:
    array = np.zeros((20, 50, 60), np.uint16)
    array[3:15, 10:40, 20:50] = 1
    array[5:10, 20:30, 25:45] = 300
    return LabelMap(array, Geometry(array.shape, AFFINE), {1: "t,lung"})


def lay_down(store: ObjectStore, object_id: str, content: bytes) -> str:
    path = store.path_of(object_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return object_id


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_names_do_not_change_from_version_to_version(store):
    plain, with_invalid = old_volumes()
    assert store.put_volume(plain) == OLD_VOLUME[0]
    assert store.put_volume(with_invalid) == OLD_VOLUME_WITH_INVALID[0]
    assert store.put_label_map(old_labels()) == OLD_LABELS[0]
    assert store.put_label_map(large_labels()) == LARGE_LABELS


def test_objects_of_the_first_version_are_read(store):
    for (object_id, content), volume in zip(
        (OLD_VOLUME, OLD_VOLUME_WITH_INVALID), old_volumes(), strict=True
    ):
        lay_down(store, object_id, base64.b64decode(content))
        back = store.get_volume(object_id, check=True)
        assert np.array_equal(back.array, volume.array)
        assert np.array_equal(back.invalid, volume.invalid)
        assert (back.modality, back.quantity) == (volume.modality, volume.quantity)
    lay_down(store, OLD_LABELS[0], base64.b64decode(OLD_LABELS[1]))
    labels = store.get_label_map(OLD_LABELS[0], check=True)
    assert np.array_equal(labels.array, old_labels().array)
    assert labels.labels == old_labels().labels


def test_a_large_label_map_takes_few_bytes_and_comes_back(store):
    object_id = store.put_label_map(large_labels())
    assert store.path_of(object_id).read_bytes().startswith(ROWS)
    assert store.size_of(object_id) < 1500
    for check in (False, True):
        back = store.get_label_map(object_id, check=check)
        assert np.array_equal(back.array, large_labels().array)
    store.verify(object_id)


def test_a_thorax_of_lesions_takes_well_under_a_megabyte(store):
    array = np.zeros((350, 512, 512), np.uint16)
    rng = np.random.default_rng(4)
    offsets = np.stack(np.meshgrid(*[np.arange(-40, 41)] * 3, indexing="ij"))
    distances = np.sqrt((offsets**2).sum(axis=0)) + rng.normal(0, 0.5, (81, 81, 81))
    for number in range(45):
        k, j, i = rng.integers((45, 100, 60), (305, 400, 450))
        box = array[k - 40 : k + 41, j - 40 : j + 41, i - 40 : i + 41]
        box[distances < rng.uniform(2.5, 40)] = number + 1
    object_id = store.put_label_map(LabelMap(array, Geometry(array.shape, np.eye(4))))
    assert store.size_of(object_id) < 500_000
    assert np.array_equal(store.get_label_map(object_id).array, array)


def test_a_label_map_that_saves_nothing_is_stored_plainly(store):
    array = np.random.default_rng(0).integers(0, 9, (8, 64, 128)).astype(np.uint16)
    object_id = store.put_label_map(LabelMap(array, Geometry(array.shape, np.eye(4))))
    assert store.path_of(object_id).read_bytes().startswith(PLAIN)
    assert np.array_equal(store.get_label_map(object_id, check=True).array, array)


@given(
    shape=st.sampled_from(
        [(1, 1, 40_000), (3, 700, 17), (70, 30, 16), (33_000, 1, 1), (5, 9, 801)]
    ),
    seed=st.integers(0, 2**32 - 1),
    n_boxes=st.integers(0, 6),
)
def test_any_label_map_comes_back(tmp_path_factory, shape, seed, n_boxes):
    rng = np.random.default_rng(seed)
    array = np.zeros(shape, np.uint16)
    for _ in range(n_boxes):
        ends = np.sort(rng.integers(0, np.array(shape) + 1, (2, 3)), axis=0)
        array[tuple(slice(a, b) for a, b in ends.T)] = rng.integers(0, 65536)
    speckles = rng.random(shape) < rng.choice([0, 0.001, 0.02])
    array[speckles] = rng.integers(0, 65536, np.count_nonzero(speckles))
    store = ObjectStore(tmp_path_factory.getbasetemp() / "any", verifies=True)
    object_id = store.put_label_map(LabelMap(array, Geometry(shape, np.eye(4))))
    assert np.array_equal(store.get_label_map(object_id).array, array)
    store.verify(object_id)


def a_changed_header(store: ObjectStore, object_id: str) -> None:
    path = store.path_of(object_id)
    path.write_bytes(path.read_bytes().replace(b"-100.1", b"-100.2"))


def test_a_changed_geometry_is_found_when_asked(tmp_path):
    store = ObjectStore(tmp_path)
    object_id = store.put_volume(a_volume())
    a_changed_header(store, object_id)
    store.get_volume(object_id)
    for read in (
        lambda: store.get_volume(object_id, check=True),
        lambda: replace(store, verifies=True).get_volume(object_id),
        lambda: store.verify(object_id),
    ):
        with pytest.raises(UnreadableSeriesError) as caught:
            read()
        assert caught.value.code == "object_changed"


def code_and_labels(
    store: ObjectStore, object_id: str, *, check: bool
) -> tuple[str | None, LabelMap | None]:
    try:
        return None, store.get_label_map(object_id, check=check)
    except UnreadableSeriesError as error:
        return error.code, None


@pytest.mark.parametrize("labels", [old_labels(), large_labels()], ids=["plain", "rows"])
def test_no_changed_byte_of_an_object_escapes(store, labels):
    object_id = store.put_label_map(labels)
    content = store.path_of(object_id).read_bytes()
    codes = []
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        lay_down(store, object_id, changed)
        code, back = code_and_labels(store, object_id, check=True)
        # gzip's own header has a few bytes that mean nothing
        assert back is None or np.array_equal(back.array, labels.array)
        codes.append(code)
    assert set(codes) <= {"object_changed", "unreadable", None}
    assert codes.count(None) < len(content) / 10


@pytest.mark.parametrize("labels", [old_labels(), large_labels()], ids=["plain", "rows"])
def test_an_object_cut_anywhere_is_no_object(store, labels):
    object_id = store.put_label_map(labels)
    content = store.path_of(object_id).read_bytes()
    for length in range(len(content)):
        lay_down(store, object_id, content[:length])
        with pytest.raises(UnreadableSeriesError) as caught:
            store.get_label_map(object_id)
        assert caught.value.code == "object_changed"


def test_bytes_behind_the_end_are_found(store):
    object_id = store.put_label_map(large_labels())
    content = store.path_of(object_id).read_bytes()
    for more in (b"x", igzip_lib.compress(b"x", 1, igzip_lib.COMP_GZIP)):
        lay_down(store, object_id, content + more)
        with pytest.raises(UnreadableSeriesError):
            store.get_label_map(object_id)


ANY_ID = "ab" + 62 * "0"
HEADER = {
    "kind": "labels",
    "shape": [20, 50, 60],
    "affine": np.eye(4).reshape(-1).tolist(),
    "frame_of_reference_uid": None,
    "labels": {},
    "arrays": [{"dtype": "<u2", "size": 60_000}],
}


def rows_object(header: dict[str, object], tokens: bytes, n_tokens: int | None = None) -> bytes:
    raw = canonical_json(header)
    n_tokens = len(tokens) if n_tokens is None else n_tokens
    stream = igzip_lib.compress(tokens, 1, igzip_lib.COMP_GZIP)
    return ROWS + struct.pack("<Q", len(raw)) + raw + struct.pack("<Q", n_tokens) + stream


def plain_object(header: object, content: bytes = bytes(120_000)) -> bytes:
    raw = json.dumps(header).encode()
    stream = igzip_lib.compress(content, 1, igzip_lib.COMP_GZIP)
    return PLAIN + struct.pack("<Q", len(raw)) + raw + stream


def with_shape(*shape: int) -> dict[str, object]:
    size = int(np.prod(np.array(shape, dtype=object)))
    return HEADER | {"shape": list(shape), "arrays": [{"dtype": "<u2", "size": size}]}


ALL_EMPTY = bytes(1000)
HOSTILE = {
    "empty": b"",
    "another magic": b"LSNOBJ9\n" + plain_object(HEADER)[8:],
    "a header of 2**60 bytes": PLAIN + struct.pack("<Q", 2**60) + b"{}",
    "a header of a GiB": PLAIN + struct.pack("<Q", 2**30) + b"{}",
    "deep nesting": PLAIN + struct.pack("<Q", 10**6) + b"[" * 10**6,
    "a list": plain_object([1, 2]),
    "no arrays": plain_object(HEADER | {"kind": "volume", "arrays": []}),
    "three arrays": plain_object(HEADER | {"kind": "volume", "arrays": HEADER["arrays"] * 3}),
    "another kind": plain_object(HEADER | {"kind": "table"}),
    "two axes": plain_object(HEADER | {"shape": [1000, 60]}),
    "a negative axis": plain_object(HEADER | {"shape": [-20, -50, 60]}),
    "an axis that is no number": plain_object(HEADER | {"shape": [20, 50, 60.0]}),
    "another size": plain_object(HEADER | {"arrays": [{"dtype": "<u2", "size": 60_001}]}),
    "objects of Python": plain_object(HEADER | {"arrays": [{"dtype": "|O8", "size": 60_000}]}),
    "a type that there is not": plain_object(
        HEADER | {"arrays": [{"dtype": "<u3", "size": 60_000}]}
    ),
    "a singular affine": plain_object(HEADER | {"affine": [0.0] * 16}),
    "an affine beyond all numbers": plain_object(HEADER | {"affine": [10**400] * 16}),
    "labels that are a list": plain_object(HEADER | {"labels": [1]}),
    "a volume of a terabyte": plain_object(with_shape(10**4, 10**4, 5000)),
    "a grid of 2**90": plain_object(with_shape(2**30, 2**30, 2**30)),
    "too short a stream": plain_object(HEADER, bytes(119_999)),
    "too long a stream": plain_object(HEADER, bytes(120_001)),
    "no gzip": plain_object(HEADER)[:-40] + b"x" * 40,
    "rows of a terabyte": rows_object(with_shape(10**4, 10**4, 5000), ALL_EMPTY),
    "rows wider than any": rows_object(with_shape(10, 100, 2**40), ALL_EMPTY),
    "fewer rows": rows_object(HEADER, bytes(999)),
    "more rows": rows_object(HEADER, bytes(1001)),
    "2**60 tokens": rows_object(HEADER, ALL_EMPTY, 2**60),
    "more tokens than pay": rows_object(HEADER, bytes(10_000)),
    "a step from nowhere": rows_object(HEADER, b"\5" + ALL_EMPTY),
    "a change beyond the row": rows_object(HEADER, b"\xff\x3c\1" + ALL_EMPTY),
    "a step beyond the row": rows_object(HEADER, b"\xff\x3b\1\0\5" + ALL_EMPTY[1:]),
    "a step before the row": rows_object(HEADER, b"\xff\0\1\0\2" + ALL_EMPTY[1:]),
    "a value beyond 65535": rows_object(HEADER, b"\xff\0\xff\xff\x7f" + ALL_EMPTY),
    "a number without end": rows_object(HEADER, b"\xff\x80\x80\x80\1\1" + ALL_EMPTY),
    "a row without end": rows_object(HEADER, ALL_EMPTY[1:] + b"\xff"),
    "a number cut off": rows_object(HEADER, ALL_EMPTY[1:] + b"\xff\x80"),
    "a volume in rows": rows_object(HEADER | {"kind": "volume"}, ALL_EMPTY),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_object_is_refused_before_it_costs_memory(store, content):
    lay_down(store, ANY_ID, content)
    with pytest.raises(UnreadableSeriesError):
        store.get_label_map(ANY_ID)  # imports are paid for
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableSeriesError) as caught:
            store.get_label_map(ANY_ID)
        with pytest.raises(UnreadableSeriesError):
            store.verify(ANY_ID)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == "object_changed"
    assert peak_bytes < 30_000_000


@given(st.binary(max_size=60))
def test_no_tokens_crash_the_reader(tmp_path_factory, tokens):
    store = ObjectStore(tmp_path_factory.getbasetemp() / "tokens")
    lay_down(store, ANY_ID, rows_object(with_shape(1, 2, 40_000), tokens))
    code, back = code_and_labels(store, ANY_ID, check=False)
    assert code == "object_changed" or back.array.shape == (1, 2, 40_000)


def test_a_name_that_is_no_hash_is_refused(store):
    for name in ("", "ab", "../../etc/passwd", "AB" + 62 * "0", 64 * "g", ANY_ID + "\n"):
        with pytest.raises(InputError):
            store.path_of(name)


FAULTS = {
    "empty": lambda content: content[:0],
    "cut": lambda content: content[:-1],
    "half": lambda content: content[: len(content) // 2],
    "zeros at the end, as a disk leaves them": lambda content: content[:-30] + bytes(30),
    "foreign": lambda content: content[::-1],
    "another header": lambda content: content.replace(b"-100.1", b"-100.2"),
}


@pytest.mark.parametrize("labels", [old_labels(), large_labels()], ids=["plain", "rows"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_putting_again_mends_what_is_plainly_wrong(store, fault, labels):
    object_id = store.put_label_map(labels)
    path = store.path_of(object_id)
    path.write_bytes(fault(path.read_bytes()))
    assert store.put_label_map(labels) == object_id
    store.verify(object_id)
    assert files_below(store.root) == [path]


def test_putting_again_writes_nothing_but_makes_the_object_young(store):
    object_id = store.put_label_map(large_labels())
    path = store.path_of(object_id)
    os.utime(path, (0, 0))
    before = path.stat()
    assert store.put_label_map(large_labels()) == object_id
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime > before.st_mtime


def test_an_object_of_the_first_version_is_not_written_again(store):
    lay_down(store, OLD_LABELS[0], base64.b64decode(OLD_LABELS[1]))
    before = store.path_of(OLD_LABELS[0]).stat().st_ino
    store.put_label_map(old_labels())
    assert store.path_of(OLD_LABELS[0]).stat().st_ino == before


def test_an_object_put_aside_while_it_is_put_is_written_anew(store, monkeypatch):
    object_id = store.put_label_map(large_labels())
    path = store.path_of(object_id)
    touch = os.utime

    def aside_after_touch(touched, *times):
        touch(touched, *times)
        path.rename(path.with_name("aside"))

    monkeypatch.setattr("lesionary.io.objects.os.utime", aside_after_touch)
    assert store.put_label_map(large_labels()) == object_id
    store.verify(object_id)


def put_many(root: Path, times: int) -> list[str]:
    store = ObjectStore(root)
    return [store.put_volume(a_volume(seed)) for _ in range(times) for seed in range(20)]


def test_two_processes_put_the_same_objects_at_once(tmp_path):
    with get_context("spawn").Pool(2) as pool:
        first, second = pool.starmap(put_many, [(tmp_path, 3)] * 2)
    assert first == second
    assert sorted(set(first)) == list(ObjectStore(tmp_path).list_ids())
    assert len(files_below(tmp_path)) == 20


def test_threads_put_the_same_object_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: store.put_label_map(large_labels()), range(40)))
    assert ids == {LARGE_LABELS}
    assert files_below(store.root) == [store.path_of(LARGE_LABELS)]


def test_objects_are_listed_in_order_without_what_is_none(store):
    ids = sorted(store.put_volume(a_volume(seed)) for seed in range(12))
    (store.root / "notes.txt").write_text("mine")
    (store.path_of(ids[0]).parent / "notes.txt").write_text("mine")
    (store.path_of(ids[0]).parent / f"{PARTIAL}0-x").write_text("")
    assert list(store.list_ids()) == ids
    assert list(ObjectStore(store.root / "nowhere").list_ids()) == []


def test_an_object_is_adopted_from_another_store(store, tmp_path):
    other = ObjectStore(tmp_path / "other")
    object_id = store.put_label_map(large_labels())
    content = store.path_of(object_id).read_bytes()
    assert other.adopt(object_id, io.BytesIO(content))
    assert not other.adopt(object_id, io.BytesIO(content))
    assert other.path_of(object_id).read_bytes() == content


def test_a_changed_object_is_not_adopted_and_a_damaged_one_is_mended(store, tmp_path):
    other = ObjectStore(tmp_path / "other")
    object_id = store.put_label_map(large_labels())
    content = store.path_of(object_id).read_bytes()
    for wrong in (content[:-9], content.replace(b"-100.1", b"-100.2")):
        with pytest.raises(UnreadableSeriesError) as caught:
            other.adopt(object_id, io.BytesIO(wrong))
        assert caught.value.code == "object_changed"
        assert files_below(other.root) == []
    lay_down(other, object_id, content[:-9])
    assert other.adopt(object_id, io.BytesIO(content))
    other.verify(object_id)


def test_a_full_disk_is_told_with_the_space_left_and_nothing_is_left_behind(small_disk):
    disk = small_disk(1)
    store = ObjectStore(disk.path / "objects")
    held = store.put_volume(a_volume())
    noise = np.random.default_rng(0).integers(0, 60_000, (64, 64, 256)).astype(np.uint16)
    too_large = Volume(noise, Geometry(noise.shape, np.eye(4)))
    with pytest.raises(WorkflowError) as refused:
        store.put_volume(too_large)
    assert refused.value.code == "not_writable"
    assert "free)" in refused.value.message
    assert "free space" in refused.value.hint
    assert str(disk.path) not in refused.value.message
    assert files_below(store.root) == [store.path_of(held)]
    store.verify(held)


def test_no_room_for_even_a_folder_is_told(small_disk):
    disk = small_disk(1)
    disk.fill()
    with pytest.raises(WorkflowError) as refused:
        ObjectStore(disk.path / "objects").put_volume(a_volume())
    assert refused.value.code == "not_writable"
    disk.relieve()
    ObjectStore(disk.path / "objects").put_volume(a_volume())


def test_a_read_only_folder_gives_but_does_not_take(store, read_only):
    object_id = store.put_volume(a_volume())
    with read_only(store.root):
        store.verify(object_id)
        for volume in (a_volume(), a_volume(1)):  # one is there, but cannot be made young
            with pytest.raises(WorkflowError) as refused:
                store.put_volume(volume)
            assert refused.value.code == "not_writable"
        store.get_volume(object_id)
    assert files_below(store.root) == [store.path_of(object_id)]


def test_what_may_not_be_read_is_not_called_damaged(store, monkeypatch):
    object_id = store.put_volume(a_volume())

    def forbidden(path, *mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(UnreadableSeriesError) as caught:
        store.get_volume(object_id)
    assert caught.value.code == "not_readable"
