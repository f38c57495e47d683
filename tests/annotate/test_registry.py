"""Segmenters are found without being imported, and say why they cannot be."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from lesionary.annotate.registry import GROUP, SegmenterRegistry
from lesionary.core.errors import PluginUnavailableError


def registry_of(**targets):
    return SegmenterRegistry({name: EntryPoint(name, to, GROUP) for name, to in targets.items()})


def test_the_built_ins_are_known_by_name():
    assert {"contour", "ellipsoid", "walker"} <= set(SegmenterRegistry.discover().names())


def test_discovery_imports_no_engine_and_nothing_heavy():
    code = (
        "import sys\n"
        "from lesionary.annotate.registry import SegmenterRegistry\n"
        "SegmenterRegistry.discover().names()\n"
        "heavy = {'numba', 'scipy', 'SimpleITK', 'skimage', 'lesionary.engines'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b"[]"


@pytest.mark.parametrize("name", ["contour", "ellipsoid", "walker"])
def test_a_built_in_is_created_under_its_own_name(name):
    assert SegmenterRegistry.discover().create(name).info.name == name


def test_pet_is_walked_and_the_rest_contoured():
    registry = SegmenterRegistry.discover()
    assert [registry.default_for(m) for m in ("PT", "CT", "MR", "OT")] == ["walker"] + [
        "contour"
    ] * 3


def test_an_unknown_name_is_refused_with_those_that_exist():
    with pytest.raises(PluginUnavailableError, match="'medsam'") as refused:
        registry_of(b="x:Y", a="x:Y").create("medsam")
    assert refused.value.hint == "choose one of a, b"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no_such_package_anywhere:Thing", "'no_such_package_anywhere' is missing"),
        ("lesionary.engines.contour:NoSuchClass", "'NoSuchClass' is missing"),
        ("fractions:Decimal.from_float", "TypeError"),
    ],
)
def test_a_plug_in_that_fails_is_refused_with_the_reason(target, reason):
    with pytest.raises(PluginUnavailableError, match=reason) as refused:
        registry_of(bad=target, good="x:Y").create("bad")
    assert "good" in refused.value.hint


def test_something_that_is_no_segmenter_is_refused():
    with pytest.raises(PluginUnavailableError, match="no info or no segment"):
        registry_of(bad="fractions:Fraction").create("bad")
