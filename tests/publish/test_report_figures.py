from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from lesionary.core.terms import LesionKind
from lesionary.core.volume import Quantity
from lesionary.publish.report.burden import BurdenPoint, burden_of
from lesionary.publish.report.data import LesionRow, SeriesRow, TruthRow
from lesionary.publish.report.figures import (
    figure_burden,
    figure_diameters,
    figure_features,
    figure_intensities,
    figure_truth,
    figure_volume_by_diameter,
    figure_volumes,
)
from lesionary.publish.report.groups import groups_of, kind_of

SVG = "{http://www.w3.org/2000/svg}"


def lesion(n, label="m,lung", *, size=10.0, **changes):
    values = {
        "series": "ct-1",
        "subject": "sub-0001",
        "timepoint": 0,
        "lesion": n,
        "label": label,
        "kind": LesionKind.NODE if label.startswith("n,") else LesionKind.TUMOUR,
        "volume_ml": size**3 / 2000,
        "long_axis_mm": size,
        "short_axis_mm": size * 0.7,
        "diameter_mm": size,
        "mean_intensity": 40.0 + n,
        "slice_index": 3,
        "quantity": Quantity.HU,
    }
    return LesionRow(**{**values, **changes})


def lesions(n_lung=12, n_nodes=4):
    lungs = [lesion(n, size=5.0 + n) for n in range(n_lung)]
    nodes = [lesion(100 + n, "n,iliac", size=9.0 + n) for n in range(n_nodes)]
    return lungs + nodes


def tree_of(svg):
    return ElementTree.fromstring(svg)  # noqa: S314  # what we have just drawn


def n_points(svg, row):
    """Count markers: uses of one shape, or shapes of their own where each has its size."""
    groups = tree_of(svg).iter(f"{SVG}g")
    (group,) = (g for g in groups if g.get("id", "").endswith(f"-points-{row}"))
    shapes = set(group.iter(f"{SVG}path")) - {
        path for defs in group.iter(f"{SVG}defs") for path in defs.iter(f"{SVG}path")
    }
    return len(list(group.iter(f"{SVG}use"))) + len(shapes)


@pytest.mark.parametrize(
    "draw",
    [
        lambda groups: figure_features(groups, Quantity.HU),
        figure_volume_by_diameter,
        figure_diameters,
        figure_volumes,
        lambda groups: figure_intensities(groups, Quantity.HU),
    ],
)
def test_every_lesion_is_a_point_in_every_figure(draw):
    svg = draw(groups_of(lesions(12, 4)))
    assert (n_points(svg, 0), n_points(svg, 1)) == (12, 4)
    assert draw(groups_of(lesions(12, 4))) == svg


def test_lesions_without_a_number_are_left_out_of_its_figure():
    rows = [*lesions(6, 0), lesion(50, mean_intensity=None), lesion(51, quantity=Quantity.SUVBW)]
    groups = groups_of(rows)
    assert n_points(figure_features(groups, Quantity.HU), 0) == 6
    assert n_points(figure_features(groups, Quantity.SUVBW), 0) == 1
    assert n_points(figure_diameters(groups), 0) == 8


def test_many_lesions_become_a_picture():
    rng = np.random.default_rng(3)
    rows = [lesion(n, size=float(rng.uniform(3, 60))) for n in range(2000)]
    svg = figure_features(groups_of(rows), Quantity.HU)
    assert "-points-0" not in svg
    assert "data:image/png;base64," in svg


def test_a_user_of_matplotlib_neither_changes_a_figure_nor_is_changed_by_it():
    plain = figure_diameters(groups_of(lesions()))
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        assert figure_diameters(groups_of(lesions())) == plain
        assert dict(mpl.rcParams) == before


def test_a_hostile_label_stays_text():
    label = 'm,<script>alert("$x$ & \\frac")</script>'
    svg = figure_diameters(groups_of([lesion(n, label) for n in range(6)]))
    tree_of(svg)
    assert "<script" not in svg


def test_figures_carry_no_date_no_address_and_ids_of_their_own():
    first = figure_diameters(groups_of(lesions()))
    second = figure_volumes(groups_of(lesions()))
    assert "metadata" not in first
    assert "matplotlib.org" not in first
    ids = [{element.get("id") for element in tree_of(s).iter()} - {None} for s in (first, second)]
    assert not ids[0] & ids[1]


def test_kinds_are_organs_nodes_and_what_has_neither():
    assert kind_of(lesion(1, "m,right lung")) == "lung"
    assert kind_of(lesion(1, "t,rib")) == "bone"
    assert kind_of(lesion(1, "n,iliac")) == "lymph nodes"
    assert kind_of(lesion(1, "m,somewhere")) == "somewhere"
    assert kind_of(lesion(1, "lesion")) == "lesion"
    assert kind_of(lesion(1, "m,")) == "m,"


def test_rare_kinds_share_a_group_and_nothing_is_lost():
    places = ["lung", "liver", "kidney", "spleen", "pancreas", "brain", "breast"]
    rows = [lesion(n, f"m,{place}") for place in places for n in range(8 - places.index(place))]
    groups = groups_of(rows)
    assert [g.name for g in groups] == [*places[:5], "2 other kinds"]
    assert groups[-1].kinds == ("brain", "breast")
    assert sum(len(g.lesions) for g in groups) == len(rows)
    assert len({g.colour for g in groups}) == 6
    assert groups_of(rows[: -len(places)])[-1].name != "1 other kinds"
    assert groups_of([]) == ()


def scan(name, timepoint, modality="CT", *, is_annotated=True):
    return SeriesRow(
        name, "sub-0001", timepoint, modality, None, (1, 1, 1), (1, 1, 1), is_annotated=is_annotated
    )


def test_burden_sums_each_time_point_and_modality_apart():
    series = [scan("a", 0), scan("b", 0), scan("p", 0, "PT"), scan("c", 1), scan("q", 1, "PT")]
    rows = [
        lesion(1, series="a", volume_ml=1.0),
        lesion(1, series="b", volume_ml=2.0),
        lesion(1, series="p", volume_ml=4.0),
    ]
    points = burden_of(series, rows)
    assert points["CT"] == (
        BurdenPoint("sub-0001", 0, "CT", 3.0, 2, True),
        BurdenPoint("sub-0001", 1, "CT", 0, 0, True),
    )
    assert [point.volume_ml for point in points["PT"]] == [4.0, 0]
    svg = figure_burden(points["CT"], "CT")
    assert n_points(svg, 0) == 2


def test_a_scan_nobody_looked_at_is_not_a_burden_of_zero():
    assert burden_of([scan("a", 0), scan("b", 1, is_annotated=False)], []) == {}
    series = [scan("a", 0), scan("b", 1), scan("c", 1, is_annotated=False)]
    rows = [lesion(1, series="a", volume_ml=None)]
    assert [p.is_complete for p in burden_of(series, rows)["CT"]] == [False, False]


def test_one_time_point_is_no_course():
    assert burden_of([scan("a", 0), scan("b", 0)], []) == {}


def test_missed_lesions_are_drawn_apart_from_found_ones():
    rows = [TruthRow("s", n, "m,lung", 0.9, 1.0 + n, 1.1 + n) for n in range(4)]
    rows.append(TruthRow("s", None, "m,lung", 0.0, None, 2.0))
    svg = figure_truth(rows)
    assert n_points(svg, "found") == 4
    assert n_points(svg, "missed") == 1
    assert rows[0].volume_error_percent == pytest.approx(-100 / 11)
    assert rows[-1].volume_error_percent is None
    assert n_points(figure_truth(rows[-1:]), "missed") == 1
