"""Phantom mice as several readers drew them."""

import numpy as np

from lesionary.app.files.reading import Reading
from lesionary.app.files.single import read_mask
from lesionary.ingest.reader_pattern import parse_pattern
from lesionary.io.phantom_readers import HABITS, PATTERN, write_reader_scans


def test_every_reader_s_masks_are_named_as_ingest_reads_them(tmp_path):
    folder = write_reader_scans(tmp_path / "scans", seed=3, n_scans=2)
    pattern = parse_pattern(PATTERN)
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.nii.gz"))]
    found = [parts for name in names if (parts := pattern.match(name)) is not None]
    assert len(names) == 2 * (1 + len(HABITS))
    assert {(parts.subject, parts.reader) for parts in found} == {
        (subject, reader) for subject in ("M01", "M02") for reader in HABITS
    }


def test_readers_differ_and_the_same_seed_draws_the_same(tmp_path):
    masks = [
        read_mask(
            write_reader_scans(tmp_path / place, seed=3, n_scans=1)
            / "M01"
            / f"M01_0_{reader}_mask.nii.gz",
            Reading(),
        ).array
        for place, reader in (("a", "anna"), ("b", "anna"), ("c", "ben"))
    ]
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])
    assert set(np.unique(masks[0]).tolist()) == {0, 1}
