"""Tables of a patient's report: responses, lesions by time point, readers, close calls."""

from collections.abc import Mapping, Sequence
from typing import Any

from lesionary.publish.report.table import Cell, Column, Footnotes, Table, columns_of
from lesionary.publish.report.wording import DASH, listed, millilitres, millimetres, rounded
from lesionary.publish.response.courses import Row, days_since_first

STATUS_WORDS: Mapping[str, str] = {
    "present": "present",
    "absent": "absent",
    "too_small": "too small",
    "not_evaluable": "not evaluable",
    "unequivocal_progression": "unequivocal progression",
    "merged": "merged",
}
_DEFINITIONS: Mapping[str, str] = {
    "caliper": "caliper",
    "long_axis": "long axis",
    "as_published": "rectangle of pixel centres",
    "volume": "sphere of the same volume",
}
_THRESHOLDS: Mapping[str, str] = {
    "measurable": "measurable",
    "node_target": "node large enough for a target",
    "node_normal": "node no longer normal",
    "shrunk": "shrunk as for PR",
    "grown": "grown as for PD",
}
_PERCENT = frozenset({"shrunk", "grown"})


MOST_COLUMNS = 8
"""Time points that fit side by side on paper."""


def time_labels(rows: Sequence[Row]) -> list[str]:
    """Name each time point, with its day where there are dates."""
    days = days_since_first(row["date"] for row in rows)
    return [
        str(row["timepoint"]) if day is None else f"{row['timepoint']} · day\u00a0{day}"
        for row, day in zip(rows, days, strict=True)
    ]


def response_table(rows: Sequence[Row]) -> Table:
    """Say what each time point says, and by iRECIST where the rows have it."""
    notes = Footnotes()
    has_immune = any("i_overall_response" in row for row in rows)
    names = [
        "Time point", "Date", "#Sum (mm)", "#From baseline (%)", "#From nadir (%)", "Targets",
        "Non-targets", "New lesion", "Overall",
    ]  # fmt: skip
    if has_immune:
        names += ["#New targets (mm)", "iRECIST"]
    body = tuple(
        _response_cells(row, label, notes, has_immune=has_immune)
        for row, label in zip(rows, time_labels(rows), strict=True)
    )
    return Table("Response by time point", columns_of(*names), body, tuple(notes.numbers))


def _response_cells(
    row: Row, label: str, notes: Footnotes, *, has_immune: bool
) -> tuple[Cell, ...]:
    why = row.get("reason", {})

    def number(name: str, decimals: int) -> Cell:
        return notes.cell(rounded(_float(row[name]), decimals), name, why)

    cells = [
        Cell(label),
        notes.cell(row["date"] or DASH, "date", why),
        _sum_cell(row, notes),
        number("change_from_baseline_percent", 1),
        number("change_from_nadir_percent", 1),
        *(
            response_cell(row[name], name, why, notes)
            for name in ("target_response", "non_target_response")
        ),
        Cell("yes" if row["new_lesion"] else "no"),
        response_cell(row["overall_response"], "overall_response", why, notes),
    ]
    if has_immune:
        cells += [
            number("new_target_sum_mm", 1),
            response_cell(row["i_overall_response"], "i_overall_response", why, notes),
        ]
    return tuple(cells)


def _sum_cell(row: Row, notes: Footnotes) -> Cell:
    """Write a sum with its interval; of an incomplete one what was measured stands in brackets."""
    why = row.get("reason", {})
    if row["sum_mm"] is None and row.get("measured_sum_mm") is not None:
        cell = notes.cell(DASH, "sum_mm", why)
        return Cell(f"({millimetres(_float(row['measured_sum_mm']))})", cell.title, cell.note)
    interval = row.get("sum_interval_mm")
    text = millimetres(_float(row["sum_mm"]))
    if interval and text != DASH:
        text += f" ({'–'.join(millimetres(_float(end)) for end in interval)})"
    return notes.cell(text, "sum_mm", why)


def response_cell(
    response: str | None, name: str, why: Mapping[str, str], notes: Footnotes
) -> Cell:
    """Write a response as a coloured word, or a dash with its reason."""
    if response is None:
        return notes.cell(DASH, name, why)
    return Cell(response, tag=f"response response-{response.lower().replace('/', '-')}")


def lesion_tables(
    observations: Sequence[Row],
    roles: Sequence[str],
    responses: Sequence[Row],
    beside: Mapping[tuple[str, str], Sequence[float]],
) -> list[Table]:
    """Hold each lesion's diameters side by side, one column a time point.

    Parameters
    ----------
    observations : sequence of mapping
        Of one subject and reader.
    roles : sequence of str
        Whose lesions to list.
    responses : sequence of mapping
        For the order of time points; targets get a last row with the sum.
    beside : mapping of (track, timepoint) to sequence of mm
        The diameters that response does not go by, reported or computed: in square brackets.

    Returns
    -------
    list of Table
        At most :data:`MOST_COLUMNS` time points each; empty where there is no such lesion.
    """
    own = [one for one in observations if one["role"] in roles]
    if not own:
        return []
    labels = time_labels(responses)
    return [
        _lesion_table(own, responses[start:end], labels[start:end], beside)
        for start in range(0, len(responses), MOST_COLUMNS)
        for end in [start + MOST_COLUMNS]
    ]


def _lesion_table(
    own: Sequence[Row],
    responses: Sequence[Row],
    labels: Sequence[str],
    beside: Mapping[tuple[str, str], Sequence[float]],
) -> Table:
    body = []
    for track in dict.fromkeys(one["lesion"] for one in own):
        seen = [one for one in own if one["lesion"] == track]
        about = [seen[0]["organ"], "short axis" if seen[0]["kind"] == "node" else ""]
        cells = [
            Cell(_sight([one for one in seen if one["timepoint"] == time], beside.get(key, ())))
            for row in responses
            for time in [str(row["timepoint"])]
            for key in [(track, time)]
        ]
        body.append((Cell(track), Cell(", ".join(filter(None, about)) or DASH), *cells))
    if own[0]["role"] == "target":
        body.append((Cell("Sum"), Cell(""), *(Cell(_sum_text(row)) for row in responses)))
    headings = [Column(text, is_number=True) for text in labels]
    return Table("Diameters in mm", (Column("Lesion"), Column("Organ"), *headings), tuple(body))


def _sum_text(row: Row) -> str:
    if row["sum_mm"] is None and row.get("measured_sum_mm") is not None:
        return f"({millimetres(_float(row['measured_sum_mm']))})"
    return millimetres(_float(row["sum_mm"]))


def _sight(seen: Sequence[Row], beside_mm: Sequence[float]) -> str:
    """Say what was seen of one lesion at one time point; parts of a split one by one."""
    # A decimal is written as it was recorded.
    sizes = [str(one["diameter_mm"]) for one in seen if one["diameter_mm"] is not None]
    text = " + ".join(sizes)
    if seen and seen[0]["status"] == "merged":
        text = f"merged with\u00a0{seen[0]['merged_into']}" if seen[0]["merged_into"] else "merged"
    elif seen and (seen[0]["status"] != "present" or not text):
        text = f"{text} {STATUS_WORDS[seen[0]['status']]}".strip()
    other = f"[{' + '.join(map(millimetres, beside_mm))}]" if beside_mm else ""
    return " ".join(part for part in (text, other) if part)


def unmatched_table(reported: Sequence[Row]) -> Table:
    """List reported diameters whose lesion is not known, and why."""
    body = [
        (
            Cell(row["lesion"]),
            Cell(str(row["timepoint"])),
            Cell(millimetres(row["reported_mm"])),
            Cell(row.get("reason", {}).get("track", "")),
        )
        for row in reported
        if row["track"] is None
    ]
    columns = columns_of("In the report", "Time point", "#Diameter (mm)", "~Why it stands alone")
    return Table("Reported, but not found among the measured", columns, tuple(body))


def disagreement_table(rows: Sequence[Row]) -> Table:
    """List the time points at which readers differ, with the lesions that cause it."""
    body = []
    for row in rows:
        causes = listed(list(row["causes"])) or DASH
        if row["is_joint"] and len(row["causes"]) > 1:
            causes += ", together"
        seen = "; ".join(f"{name}: {' / '.join(words)}" for name, words in row["seen"].items())
        body.append(
            (
                Cell(str(row["timepoint"])),
                Cell(" / ".join(row["readers"])),
                Cell(" / ".join(one or DASH for one in row["responses"])),
                Cell(causes),
                Cell(seen),
            )
        )
    columns = columns_of("Time point", "Readers", "Overall", "Caused by", "~Seen there")
    return Table("Where readers differ", columns, tuple(body))


def straddle_table(rows: Sequence[Row]) -> Table:
    """List lesions that another definition of size would put beyond a threshold."""
    body = [
        (
            Cell(row["track"]),
            Cell(str(row["timepoint"])),
            Cell(_THRESHOLDS.get(row["threshold"], row["threshold"])),
            Cell(_valued(row["limit"], row["threshold"])),
            Cell(_valued(row["reported"], row["threshold"])),
            Cell(_valued(row["other"], row["threshold"])),
            Cell(_DEFINITIONS.get(row["definition"], row["definition"])),
        )
        for row in rows
    ]
    columns = columns_of(
        "Lesion", "Time point", "Threshold", "#At", "#Here", "#Otherwise", "Otherwise by"
    )
    return Table("Sizes that hang on their definition", columns, tuple(body))


def _valued(value: float, threshold: str) -> str:
    if threshold in _PERCENT:
        return f"{rounded(value, 1)} %"
    return f"{millimetres(value)} mm"


def volume_table(rows: Sequence[Row]) -> Table:
    """Say what the targets' volume did, beside the diameters."""
    notes = Footnotes()
    body = []
    for row in rows:
        why = {"volumetric_response": row["reason"].get("response", ""), **row["reason"]}
        changes = ("change_from_baseline_percent", "change_from_nadir_percent")
        body.append(
            (
                Cell(str(row["timepoint"])),
                notes.cell(millilitres(row["target_volume_ml"]), "target_volume_ml", why),
                *(notes.cell(rounded(row[name], 1), name, why) for name in changes),
                response_cell(row["volumetric_response"], "volumetric_response", why, notes),
            )
        )
    columns = columns_of(
        "Time point",
        "#Volume of targets (ml)",
        "#From baseline (%)",
        "#From nadir (%)",
        "By volume",
    )
    return Table("Volume of the targets", columns, tuple(body), tuple(notes.numbers))


def growth_table(tumours: Sequence[Row]) -> Table:
    """Say how fast each tumour grows or shrinks."""
    notes = Footnotes()
    body = [
        (
            Cell(one["track"]),
            notes.cell(rounded(one["doubling_days"], 1), "doubling_days", one["reason"]),
            notes.cell(rounded(one["halving_days"], 1), "halving_days", one["reason"]),
        )
        for one in tumours
    ]
    columns = columns_of("Lesion", "#Doubles in (days)", "#Halves in (days)")
    return Table("Growth", columns, tuple(body), tuple(notes.numbers))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
