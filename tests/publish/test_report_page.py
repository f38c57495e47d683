import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from lesionary.core.findings import Outcome
from lesionary.core.terms import LesionKind
from lesionary.core.volume import Quantity
from lesionary.core.window import Window
from lesionary.publish.report import (
    DroppedRow,
    GalleryItem,
    IgnoredRow,
    LeftOutRow,
    LesionRow,
    Method,
    Methods,
    NamedWindow,
    Note,
    ReportData,
    ReviewState,
    SeriesRow,
    StageRow,
    TruthRow,
    render_report,
)

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=y>&'{{ 7 * 7 }}"


def a_series(n, **changes):
    row = SeriesRow(
        f"ct-{n}", f"sub-{n % 3:04d}", n // 3, "CT", "abdomen", (10, 64, 64), (2.5, 0.7, 0.7)
    )
    return replace(row, **changes)


def a_lesion(n, **changes):
    row = LesionRow(
        series=f"ct-{n % 6}",
        subject=f"sub-{n % 3:04d}",
        timepoint=(n % 6) // 3,
        lesion=n // 6 + 1,
        label=("m,liver", "n,iliac", "t,kidney")[n % 3],
        kind=(LesionKind.TUMOUR, LesionKind.NODE, LesionKind.TUMOUR)[n % 3],
        volume_ml=0.3 + n,
        long_axis_mm=12.0 + n,
        short_axis_mm=8.0 + n,
        diameter_mm=12.0 + n,
        mean_intensity=50.0 + n,
        slice_index=4,
        quantity=Quantity.HU,
        segmenter="contour 1.0",
    )
    return replace(row, **changes)


def a_picture(n):
    pixels = (np.arange(30 * 40).reshape(30, 40) * (n + 1) % 256).astype(np.uint8)
    mask = np.zeros((30, 40), dtype=bool)
    mask[10:20, 12:28] = True
    ends = ((10.0, 11.5), (19.0, 27.5))
    return GalleryItem(
        f"ct-{n % 6}", n // 6 + 1, "m,liver", pixels, mask, (1.0, 0.75), ends, None, Window(40, 350)
    )


def sample(n_lesions=9):
    return ReportData(
        title="A small study",
        study_name="small",
        protocol="recist-ct",
        protocol_version="1.0",
        software_version="0.1.0",
        series=tuple(a_series(n) for n in range(6)),
        left_out=(LeftOutRow("1#12", "missing_slice", "slice 4 is missing", "send it", 30),),
        ignored=(IgnoredRow("not_a_file", "a pipe"), IgnoredRow("not_a_file", "a pipe", 2)),
        lesions=tuple(a_lesion(n) for n in range(n_lesions)),
        dropped=(DroppedRow("ct-1", "m,liver", 12),),
        gallery=tuple(a_picture(n) for n in range(min(n_lesions, 4))),
        truth=(
            TruthRow("ct-0", 1, "m,liver", 0.91, 0.3, 0.31),
            TruthRow("ct-0", None, "m,liver", 0.0, None, 0.5),
        ),
        stages=(StageRow("measure", 0, 6, 0),),
        methods=Methods(windows=(NamedWindow("abdomen", 40, 350),)),
    )


class Outline(HTMLParser):
    """Collects tags with attributes, and the text outside style and drawings."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.words = []
        self.skipping = 0

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.skipping += tag in {"style", "svg"}

    def handle_endtag(self, tag):
        self.skipping -= tag in {"style", "svg"}

    def handle_data(self, data):
        if not self.skipping:
            self.words.append(data)


def read(html):
    outline = Outline()
    outline.feed(html)
    outline.close()
    return outline.tags, re.sub(r"\s+", " ", " ".join(outline.words))


def digest(data):
    return hashlib.sha256(render_report(data).encode()).hexdigest()


def test_the_same_data_give_the_same_bytes_in_any_process():
    def elsewhere(seed):
        done = subprocess.run(
            [sys.executable, __file__],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    here = digest(sample())
    assert digest(sample()) == here
    assert elsewhere("1") == here
    assert elsewhere("2") == here


def test_the_main_numbers_are_those_of_the_rows():
    _, text = read(render_report(sample()))
    for words in ("3 subjects", "6 time points", "6 series", "9 lesions", "1 left out"):
        value, name = words.split(" ", 1)
        assert re.search(rf"{name} {value}\b", text), words
    assert "38.7 ml" in text


@pytest.mark.parametrize(
    "data",
    [
        ReportData("Nothing", "s", "general", "1.0", "0.1.0"),
        replace(sample(0), truth=(), dropped=()),
        sample(1),
        sample(5),
        sample(40),
    ],
)
def test_studies_of_every_size_have_a_report(data):
    tags, text = read(render_report(data))
    assert not re.search(r"\b(nan|None|inf|Undefined)\b", text)
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {attrs["href"] for tag, attrs in tags if tag == "a"}
    assert targets <= {f"#{name}" for name in ids}


def test_no_lesion_found_is_not_nobody_looked():
    empty = replace(sample(0), truth=())
    unseen = replace(empty, series=tuple(replace(s, is_annotated=False) for s in empty.series))
    assert "No lesion was found in 6 series." in read(render_report(empty))[1]
    assert "nobody has looked" in read(render_report(unseen))[1]


def test_nothing_is_fetched_and_nothing_runs():
    html = render_report(sample(40))
    tags, _ = read(html)
    assert not {"script", "link", "iframe", "object", "embed", "img"} & {tag for tag, _ in tags}
    addresses = re.findall(r"""(?:href|src|xlink:href)=["']?([^"'\s>]+)""", html)
    assert {a[:1] for a in addresses if not a.startswith("data:image/png;base64,")} <= {"#"}
    assert set(re.findall(r"https?://[^\s\"'<)]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"@import|url\((?!#)", html)
    assert not any(name.startswith("on") for _, attrs in tags for name in attrs)


def test_hostile_words_stay_words():
    data = replace(
        sample(),
        title=HOSTILE,
        study_name=HOSTILE,
        protocol=HOSTILE,
        series=(a_series(0, region=HOSTILE, notes=(Note(HOSTILE, HOSTILE),), id=HOSTILE),),
        left_out=(LeftOutRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        ignored=(IgnoredRow(HOSTILE, HOSTILE),),
        lesions=tuple(
            a_lesion(n, label=HOSTILE, segmenter=HOSTILE, mean_intensity=None,
                     reason={"mean_intensity": HOSTILE})
            for n in range(6)
        ),
        gallery=(replace(a_picture(0), label=HOSTILE, series=HOSTILE),),
        methods=Methods(remarks=(HOSTILE,), windows=(NamedWindow(HOSTILE, 0, 1),)),
    )  # fmt: skip
    html = render_report(data)
    tags, text = read(html)
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert HOSTILE in text


def test_an_undefined_value_is_a_dash_with_its_reason_below():
    rows = (
        a_lesion(0, mean_intensity=None, reason={"mean_intensity": "holds 12 padding voxels"}),
        a_lesion(1, diameter_mm=None, long_axis_mm=None, short_axis_mm=None, slice_index=None,
                 reason=dict.fromkeys(("diameter_mm", "long_axis_mm", "short_axis_mm",
                                       "slice_index"), "one pixel only")),
        a_lesion(2, volume_ml=None),
    )  # fmt: skip
    html = render_report(replace(sample(), lesions=rows, gallery=()))
    _, text = read(html)
    assert '<span class="none" title="holds 12 padding voxels">–<sup>1</sup></span>' in html
    assert html.count('title="one pixel only"') == 4
    assert "<li>one pixel only</li>" in html
    assert "not defined, no reason was given" in text
    assert "1 unknown" in text


def test_drafts_are_flagged_loudly():
    _, text = read(render_report(sample()))
    assert "All 9 masks were drafted by contour 1.0, no reader has reviewed them." in text
    rows = list(sample().lesions)
    rows[0] = replace(rows[0], state=ReviewState.CORRECTED, method=Method.SEMIAUTOMATIC)
    rows[1] = replace(rows[1], method=Method.MANUAL, segmenter=None)
    _, text = read(render_report(replace(sample(), lesions=tuple(rows))))
    assert "7 of 9 masks were drafted by contour 1.0" in text
    assert "1 more mask had no second reading." in text


def test_reviewed_masks_are_not_called_drafts():
    rows = tuple(replace(row, state=ReviewState.ADJUDICATED) for row in sample().lesions)
    html = render_report(replace(sample(), lesions=rows))
    assert "Readers have reviewed all 9 masks." in html
    assert 'class="verdict draft"' not in html
    assert ">draft<" not in html


@pytest.mark.parametrize("method", [Method.MANUAL, Method.NOT_STATED])
def test_masks_that_came_along_are_named_as_such(method):
    rows = tuple(replace(row, method=method, segmenter=None) for row in sample().lesions)
    _, text = read(render_report(replace(sample(), lesions=rows)))
    assert "9 masks of 9 without a second reading." in text


def test_many_left_out_are_counted_by_reason_and_still_all_listed():
    rows = tuple(
        LeftOutRow(f"1#{n}", ("localizer", "no_pixels")[n % 3 == 0], f"reason {n}")
        for n in range(60)
    )
    html = render_report(replace(sample(), left_out=rows))
    _, text = read(html)
    assert "All 60, one by one" in text
    assert all(f"reason {n}" in html for n in range(60))
    assert text.index("localizer 40") < text.index("no_pixels 20")


def test_warnings_and_repairs_are_told():
    note = Note("padding", "12 voxels hold padding")
    series = (a_series(0, outcome=Outcome.WARNED, notes=(note,)), a_series(1))
    _, text = read(render_report(replace(sample(), series=series)))
    assert "2 series of 2 subjects came in: 1 as they were, 1 with a warning." in text
    assert "12 voxels hold padding" in text


def test_a_gallery_says_how_many_are_not_drawn():
    _, text = read(render_report(sample(40)))
    assert "4 of 40 are drawn" in text
    assert "All 40 lesions" in text


def test_pictures_are_described_and_tables_have_heads():
    tags, _ = read(render_report(sample()))
    drawings = [attrs for tag, attrs in tags if tag == "svg"]
    assert all(d.get("role") == "img" for d in drawings)
    assert all(d.get("aria-label") or d.get("aria-labelledby") for d in drawings)
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in tags if tag == "th")
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags)


def test_methods_follow_the_protocol():
    methods = Methods(diameter="as_published", keep_largest_piece=False, min_slices=2)
    _, text = read(render_report(replace(sample(), methods=methods)))
    assert "about one pixel less than a caliper" in text
    assert "50 voxels is dropped: 1 piece in this study" in text
    assert "at least 2 slices" in text


if __name__ == "__main__":
    print(digest(sample()))  # noqa: T201  # the answer to the process that asks for it
