"""How the numbers were made, in plain words."""

from lesionary.publish.report.data import Methods, ReportData
from lesionary.publish.report.summary import Summary
from lesionary.publish.report.wording import counted, listed, window_text

_DIAMETERS = {
    "caliper": (
        "Edge to edge in one slice across the axis nearest patient-superior. Long axis: the "
        "longest distance between two points of the lesion’s outline. Short axis: the longest "
        "chord of the section’s convex hull perpendicular to it, in the same slice. The diameter "
        "of a tumour is its long axis, that of a lymph node its short axis in the slice with the "
        "longest long axis (RECIST 1.1)."
    ),
    "as_published": (
        "Sides of the smallest rectangle around the pixel centres of the largest outline in each "
        "axial slice, as the authors of the recist data set computed them: about one pixel less "
        "than a caliper. The diameter of a tumour is the longest side found, that of a lymph node "
        "the short side in the slice with the longest long side."
    ),
}


def method_sentences(data: ReportData, summary: Summary) -> list[tuple[str, str]]:
    """Return what was done, as terms and sentences."""
    methods = data.methods
    return [
        (
            "Protocol",
            f"{data.protocol}, version {data.protocol_version}, run by Lesionary "
            f"{data.software_version}.",
        ),
        ("Masks", _masks(data, summary)),
        ("Windows", _windows(methods)),
        ("Lesions", _lesions(methods, summary.count("study", "", "dropped_pieces"))),
        ("Diameters", _DIAMETERS[methods.diameter]),
        (
            "Volume",
            "Number of voxels times the volume of a voxel; no smoothing, no partial volumes.",
        ),
        (
            "Mean intensity",
            "Mean over all voxels of the lesion. Not defined where one of them holds padding or no "
            "number. Arbitrary units (a.u.) do not compare between series.",
        ),
        (
            "Statistics",
            "Median and quartiles by linear interpolation, mean ± standard deviation; boxes show "
            "quartiles, whiskers reach the last lesion within 1.5 quartile ranges, and no outlier "
            "is hidden. ρ is Spearman’s rank correlation of volume and diameter, ties by average "
            "rank; its two-sided p takes lesions for independent, although one subject may have "
            "many: read it as a description, not as a test.",
        ),
        *(("Remark", remark) for remark in methods.remarks),
    ]


def _masks(data: ReportData, summary: Summary) -> str:
    names = sorted({row.segmenter for row in data.lesions if row.segmenter})
    by_hand = summary.count("masks", "", "without_segmenter")
    parts = [f"drafted by {listed(names)}"] if names else []
    if by_hand:
        parts.append(f"given with the scans ({by_hand} of {summary.count('study', '', 'lesions')})")
    if not parts:
        return "There are no lesions, so no mask was drafted."
    return f"Masks were {listed(parts)}; the table says which of them a reader has seen."


def _windows(methods: Methods) -> str:
    how = (
        "Grey rises linearly from level − width ∕ 2 to level + width ∕ 2; each picture tells its "
        "own window when the pointer rests on it."
    )
    if not methods.windows:
        return f"The protocol names none. {how}"
    named = [f"{w.name} ({window_text(w.level, w.width)})" for w in methods.windows]
    return f"{listed(named)}. {how}"


def _lesions(methods: Methods, n_dropped: int) -> str:
    text = "Voxels of one label that touch, be it at a corner, are one lesion (26-connected)."
    if methods.min_voxels > 1:
        exception = (
            " unless it is its label’s only or largest" if methods.keep_largest_piece else ""
        )
        text += (
            f" A piece of fewer than {methods.min_voxels} voxels is dropped{exception}: "
            f"{counted(n_dropped, 'piece')} in this study."
        )
    if methods.min_slices > 1:
        text += f" A diameter needs sections in at least {methods.min_slices} slices."
    return text
