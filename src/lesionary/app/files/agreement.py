"""``file agree``: readers' mask files against each other.

One case from a list of masks; many from a folder and a pattern, or from a file of contours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.comparison_files import write_comparison
from lesionary.app.files.contour_cases import read_contour_cases
from lesionary.app.files.mask_files import (
    MaskFile,
    left_out,
    read_on_one_grid,
    read_readers,
    reader_cases,
    refused_row,
    with_texts,
)
from lesionary.app.files.reading import PathLike, Reading, read_texts
from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError, LesionaryError
from lesionary.core.volume import Geometry
from lesionary.io.sources import SourceFinding

if TYPE_CHECKING:
    from lesionary.agree.agreement import Agreement
    from lesionary.core.components import Component

CONTOURS_ENDING = ".json"
NUMBERED = (
    "readers are numbered by their place in the file: the same number need not be the same person"
)


@dataclass(slots=True)
class AgreedCases:
    """What became of many cases.

    Parameters
    ----------
    cases : list of (CaseKey, Agreement)
        What was compared.
    refused : list of SourceFinding
        What could not be.
    said : list of str
        What a reader of the tables has to know: it stands in their captions.
    notes : list of str
        What the user has to know besides.
    """

    cases: "list[tuple[CaseKey, Agreement]]" = field(default_factory=list)
    refused: list[SourceFinding] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def agree(
    masks: Sequence[PathLike],
    *,
    readers: Sequence[str] = (),
    labels: str | None = None,
    reader_from: str | None = None,
    out: PathLike | None = None,
    reading: Reading | None = None,
) -> dict[str, Any]:
    """Compare readers.

    Parameters
    ----------
    masks : sequence of path
        Two mask files or more of one image; or one folder (with ``reader_from``), or one JSON file
        of readers' contours, for many cases.
    readers : sequence of str, optional
        Who drew each mask; a name that comes twice is one reader who read twice. By default 1, 2, …
    labels : str, optional
        JSON, or a JSON file, of texts by value.
    reader_from : str, optional
        ``{group}/{subject}_{timepoint}/{reader}.nii.gz``: sorts the files below the folder.
    out : path, optional
        Folder for tables (CSV, JSON, LaTeX) and figures (SVG, PNG).

    Returns
    -------
    dict
        Of one case: the contract's document. Of many: ``{cases, summary, left_out, notes}``.
    """
    chosen = reading or Reading()
    if reader_from is not None or _is_contours(masks):
        if readers or labels is not None:
            raise InputError(
                "readers and labels of many cases are not given one by one",
                code="usage",
                hint="{reader} and {label} of --reader-from name them",
                sources=[str(mask) for mask in masks],
            )
        found = _many(masks, reader_from, chosen)
        document = _document_of_many(found)
    else:
        found = _one(masks, readers, labels, chosen)
        document = found.cases[0][1].to_json()
    if out is not None:
        document["written"] = _write(Path(out), found)
    return document


def diameter_of(component: "Component", geometry: Geometry) -> float | None:
    """Measure the long axis of what one reader drew of a tumour, in mm."""
    from lesionary.measure.diameter import caliper

    axes = caliper(component, geometry)
    return None if axes is None else axes.long_axis_mm


def _is_contours(masks: Sequence[PathLike]) -> bool:
    return len(masks) == 1 and str(masks[0]).lower().endswith(CONTOURS_ENDING)


def _one(
    masks: Sequence[PathLike], readers: Sequence[str], labels: str | None, reading: Reading
) -> AgreedCases:
    from lesionary.agree.agreement import agreement

    files = [MaskFile(Path(mask), str(mask)) for mask in masks]
    if len(files) < 2:
        raise InputError(
            "agreement needs two masks or more",
            code="usage",
            hint="for many cases give a folder with --reader-from, or a file of contours",
            sources=[file.name for file in files],
        )
    if readers and len(readers) != len(files):
        raise InputError(
            f"{len(readers)} readers are named for {len(files)} masks",
            code="usage",
            hint="give --reader once for each mask, in their order",
        )
    if not all(name.strip() for name in readers):
        raise InputError("a reader has no name", code="usage", hint="give --reader a name")
    maps = with_texts(read_on_one_grid(files, reading), read_texts(labels))
    names = list(readers) or [str(number) for number in range(1, len(files) + 1)]
    return AgreedCases([(CaseKey("", "1", "1"), agreement(maps, names, diameters=diameter_of))])


def _many(masks: Sequence[PathLike], reader_from: str | None, reading: Reading) -> AgreedCases:
    if len(masks) != 1:
        raise InputError(
            "many cases come from one folder",
            code="usage",
            hint="give the folder that holds them all",
            sources=[str(mask) for mask in masks],
        )
    path = Path(masks[0])
    found = AgreedCases()
    if reader_from is None:
        _agree_contours(path, reading, found)
    else:
        _agree_folder(path, reader_from, reading, found)
    if not found.cases:
        raise _nothing(str(path), found.refused)
    found.said += _not_read(found.cases)
    found.notes += found.said
    return found


def _not_read(cases: "Sequence[tuple[CaseKey, Agreement]]") -> list[str]:
    from lesionary.publish.comparison.agreement import not_read

    return not_read([agreed.readers for _, agreed in cases])


def _agree_contours(path: Path, reading: Reading, found: AgreedCases) -> None:
    from lesionary.agree.agreement import agreement

    for case in read_contour_cases(path, str(path), reading.limits):
        agreed = agreement(
            case.maps,
            case.readers,
            diameters=diameter_of,
            n_voxels=case.n_voxels,
            is_one_tumour=True,  # the file lists lesions: one outline may fall apart, and is one
        )
        found.cases.append((case.key, agreed))
    found.said.append(NUMBERED)


def _agree_folder(path: Path, pattern: str, reading: Reading, found: AgreedCases) -> None:
    from lesionary.agree.agreement import agreement

    with reader_cases(path, pattern, reading) as sorted_files:
        found.refused += sorted_files.findings
        if sorted_files.n_unfit:
            found.notes.append(f"image files that the pattern does not fit: {sorted_files.n_unfit}")
        for number, case in enumerate(sorted_files.cases):
            try:
                maps = read_readers(case, reading)
                names = [one.reader for one in case.readers]
                agreed = agreement(maps, names, diameters=diameter_of)
            except LesionaryError as error:
                found.refused.append(left_out(case.key.case, number, error))
            else:
                found.cases.append((case.key, agreed))


def _nothing(source: str, refused: Sequence[SourceFinding]) -> InputError:
    if refused:
        first = refused[0].finding
        return InputError(
            first.reason, code=first.code, hint=first.hint or None, source=refused[0].name
        )
    return InputError(
        "no file below it fits the pattern",
        code="no_cases",
        hint="a pattern is matched against the whole path below the folder",
        source=source,
    )


def _document_of_many(found: AgreedCases) -> dict[str, Any]:
    from lesionary.agree.summary import summarise

    return {
        "cases": [
            {"group": key.group, "subject": key.subject, "case": key.case, **agreed.to_json()}
            for key, agreed in found.cases
        ],
        "summary": summarise(found.cases).to_json(),
        "left_out": [refused_row(one) for one in found.refused],
        "notes": found.notes,
    }


def _not_compared(found: AgreedCases) -> list[str]:
    n = len(found.refused)
    return [f"{n} of {n + len(found.cases)} cases are not compared"] if n else []


def _write(folder: Path, found: AgreedCases) -> list[str]:
    from lesionary.agree.summary import summarise
    from lesionary.publish.comparison.agreement import agreement_tables
    from lesionary.publish.comparison.agreement_figures import agreement_pictures

    summary = summarise(found.cases).to_json()
    return write_comparison(
        folder,
        agreement_tables(summary, notes=[*found.said, *_not_compared(found)]),
        agreement_pictures(summary),
        about={"compared": "readers", "readers": summary["readers"], "cases": len(found.cases)},
    )
