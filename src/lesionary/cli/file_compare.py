"""``lesionary file agree``, ``consensus`` and ``evaluate``: masks against masks."""

from pathlib import Path
from typing import Any

import typer

from lesionary.cli.comparison_text import (
    agreed_cases_text,
    agreement_text,
    consensus_text,
    evaluation_text,
    scored_cases_text,
)
from lesionary.cli.output import DONE, PARTLY, Output
from lesionary.cli.words import AffineChoice

_JSON = typer.Option(False, "--json", help="Print one JSON document.")
_AFFINE = typer.Option(None, help="sform or qform: which one counts where a NIfTI's two disagree.")
_VOLUME_BYTES = typer.Option(None, help="Largest volume to read, in bytes; default 4 GiB.")
_OUT = typer.Option(
    None, "--out", help="Folder for tables (CSV, JSON, LaTeX) and figures (SVG, PNG)."
)
_LABELS = typer.Option(None, help='JSON or a JSON file: {"1": "m,liver"}.')


def agree(
    masks: list[Path] = typer.Argument(
        ..., metavar="MASK...", help="One a reader; or a folder; or a JSON file of contours."
    ),
    reader: list[str] = typer.Option(
        [], help="Who drew each mask, in their order; the same name twice: read twice."
    ),
    labels: str = _LABELS,
    reader_from: str = typer.Option(
        None, help="For a folder of many cases: '{group}/{subject}_{timepoint}/{reader}.nii.gz'."
    ),
    out: Path = _OUT,
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Compare readers: Dice, Fleiss' kappa, volumes, diameters, tumour by tumour."""
    from lesionary.app import files

    document = files.agree(
        masks,
        readers=reader,
        labels=labels,
        reader_from=reader_from,
        out=out,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    is_many = "cases" in document
    text = agreed_cases_text(document) if is_many else agreement_text(document)
    Output(json).emit(document, text + _written(document))
    return _finish(document, json=json)


def consensus(
    masks: list[Path] = typer.Argument(..., metavar="MASK...", help="One a reader."),
    output: Path = typer.Option(..., "-o", "--output", help="The mask to write."),
    method: str = typer.Option("staple", help="staple or majority."),
    probability: Path = typer.Option(None, help="Image file for each voxel's probability."),
    uncertainty: Path = typer.Option(
        None, help="Image file for how divided the readers are over each voxel, in bits."
    ),
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Make one mask of several readers', by STAPLE or by majority."""
    from lesionary.app import files

    document = files.consensus(
        masks,
        output=output,
        method=method,
        probability=probability,
        uncertainty=uncertainty,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    Output(json).emit(document, consensus_text(document))
    return DONE


def evaluate(
    reference: list[Path] = typer.Option(
        ..., help="What is compared against: a mask, or a folder of them; may come again."
    ),
    prediction: Path = typer.Option(..., help="What is scored: a mask, or a folder of them."),
    tolerance_mm: float = typer.Option(2.0, help="Of the normalized surface Dice."),
    tolerance: list[str] = typer.Option([], help="LABEL=MM: another one for a label."),
    composite: list[str] = typer.Option([], help="NAME=1+2: labels scored as one object."),
    match: str = typer.Option("overlap", help="overlap, iou:T or one-to-one."),
    min_voxels: int = typer.Option(1, help="Smaller components are no lesions."),
    size_mm: list[float] = typer.Option([], help="Edges between sizes; default 10, 20, 30."),
    labels: str = _LABELS,
    case_from: str = typer.Option(None, help="For folders: '{group}/{subject}_{timepoint}'."),
    missing_is_empty: bool = typer.Option(
        False, "--missing-is-empty", help="Score a case without a prediction as an empty mask."
    ),
    versus: Path = typer.Option(
        None, help="Another folder of predictions, compared with the first by Wilcoxon's test."
    ),
    out: Path = _OUT,
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Score a prediction: Dice, surfaces, lesions found; honest beside as published."""
    from lesionary.app import files

    document = files.evaluate(
        reference,
        prediction,
        scoring=files.Scoring(
            tolerance_mm=tolerance_mm,
            tolerances=tolerance,
            composites=composite,
            match=match,
            min_voxels=min_voxels,
            sizes_mm=size_mm,
        ),
        labels=labels,
        folders=files.FolderRules(case_from, is_missing_empty=missing_is_empty, versus=versus),
        out=out,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    is_many = "cases" in document
    text = scored_cases_text(document) if is_many else evaluation_text(document)
    Output(json).emit(document, text + _written(document))
    return _finish(document, json=json)


def _written(document: dict[str, Any]) -> str:
    return f"\n{len(document['written'])} files written" if "written" in document else ""


def _finish(document: dict[str, Any], *, json: bool) -> int:
    """Say what was left out; return 1 where something was."""
    for note in document.get("notes", ()):
        Output(json).note(f"note: {note}")
    for one in document.get("left_out", ()):
        Output(json).note(f"left out: {one['source']}: {one['reason']}")
    return PARTLY if document.get("left_out") else DONE
