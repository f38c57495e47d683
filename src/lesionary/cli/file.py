"""``lesionary file``: the same steps on single files, without a study."""

from pathlib import Path
from typing import Any

import typer

from lesionary.cli.file_adjudicate import adjudicate
from lesionary.cli.file_clean import clean
from lesionary.cli.file_compare import agree, consensus, evaluate
from lesionary.cli.file_deidentify import deidentify
from lesionary.cli.file_ratings import ratings
from lesionary.cli.file_respond import respond
from lesionary.cli.output import DONE, PARTLY, Output, table
from lesionary.cli.words import AffineChoice

app = typer.Typer(
    help="The same steps on single files, without a study.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

for command in (agree, consensus, evaluate, clean, ratings, respond, adjudicate, deidentify):
    app.command()(command)

_JSON = typer.Option(False, "--json", help="Print one JSON document.")
_AFFINE = typer.Option(None, help="sform or qform: which one counts where a NIfTI's two disagree.")
_VOLUME_BYTES = typer.Option(None, help="Largest volume to read, in bytes; default 4 GiB.")


@app.command()
def segment(
    image: Path = typer.Argument(..., help="NIfTI, NRRD, MetaImage, or a DICOM folder."),
    box: str = typer.Option(
        ..., help="i0,i1,j0,j1,k0,k1: first index and one past the last; DICOM: column, row, slice."
    ),
    output: Path = typer.Option(..., "-o", "--output", help="The mask to write."),
    segmenter: str = typer.Option(None, help="contour, walker, ellipsoid or a plug-in."),
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Turn a box around a lesion into a mask on the image's grid."""
    from lesionary.app import files

    result = files.segment(
        image,
        box=box,
        output=output,
        segmenter=segmenter,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    Output(json).emit(
        result,
        f"{result['output']}: {result['voxels']} voxels, {result['volume_ml']:.3f} ml"
        f" by {result['segmenter']} in {result['seconds']:.1f} s",
    )
    return DONE


@app.command()
def interpolate(
    mask: Path = typer.Argument(..., help="The mask with the slices that were drawn."),
    step: int = typer.Option(..., help="Gaps between keys of up to so many slices are filled."),
    output: Path = typer.Option(..., "-o", "--output", help="The mask to write."),
    method: str = typer.Option("shape", help="shape or linear."),
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Fill in between drawn slices; these stay as they are, and so do wider gaps."""
    from lesionary.app import files

    document = files.interpolate(
        mask,
        step=step,
        output=output,
        method=method,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    said = (
        f"{document['output']}: {document['filled_slices']} slices filled between"
        f" {document['key_slices']} drawn ones, {document['voxels']} voxels"
    )
    Output(json).emit(document, said)
    for warning in document["warnings"]:
        Output(json).note(f"warning: {warning}")
    return DONE


@app.command()
def measure(
    image: Path = typer.Argument(..., help="NIfTI, NRRD, MetaImage, or a DICOM folder."),
    mask: Path = typer.Argument(..., help="Its mask: one value a label."),
    kind: str = typer.Option("tumour", help="tumour or node: what labels without text are."),
    labels: str = typer.Option(None, help='JSON or a JSON file: {"1": "m,liver"}.'),
    min_voxels: int = typer.Option(50, help="Smaller components are dropped and listed."),
    min_slices: int = typer.Option(1, help="Components on fewer slices are dropped and listed."),
    diameter: str = typer.Option("caliper", help="caliper or as_published."),
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Measure every lesion of a mask: volume, mean intensity, long and short axis."""
    from lesionary.app import files

    result = files.measure(
        image,
        mask,
        kind=kind,
        labels=labels,
        min_voxels=min_voxels,
        min_slices=min_slices,
        diameter=diameter,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    Output(json).emit(result, _measures_text(result))
    return DONE


@app.command()
def convert(
    source: Path = typer.Argument(..., metavar="IN", help="A file, a DICOM folder, or an archive."),
    target: Path = typer.Argument(
        ..., metavar="OUT", help="A .nii.gz, .nrrd or .mha for one series; else a folder."
    ),
    series: str = typer.Option(None, help="SeriesInstanceUID, or its number in the list."),
    quantity: str = typer.Option("native", help="native (HU, BQML as stored) or suvbw."),
    affine: AffineChoice | None = _AFFINE,
    max_volume_bytes: int = _VOLUME_BYTES,
    *,
    json: bool = _JSON,
) -> int:
    """Convert DICOM to NIfTI, RTSTRUCT and SEG to masks, and image files into each other."""
    from lesionary.app import files

    converted = files.convert(
        source,
        target,
        series=series,
        quantity=quantity,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    Output(json).emit(converted.rows, _converted_text(converted.rows))
    for refused in converted.refused:
        Output(json).note(f"left out: {refused.name}: {refused.finding.reason}")
    return PARTLY if converted.refused else DONE


def _measures_text(result: dict[str, Any]) -> str:
    rows = [
        (
            str(row["lesion"]),
            str(row["label"]),
            row["kind"],
            str(row["voxels"]),
            f"{row['volume_ml']:.4f}",
            _number(row["mean_intensity"]),
            _number(row["long_axis_mm"]),
            _number(row["short_axis_mm"]),
            _number(row["diameter_mm"]),
            _number(row["slice_index"], digits=0),
        )
        for row in result["lesions"]
    ]
    header = (
        "lesion",
        "label",
        "kind",
        "voxels",
        "ml",
        "mean",
        "long mm",
        "short mm",
        "diameter mm",
    )
    text = table((*header, "slice"), rows) or "No lesion."
    if result["dropped"]:
        counted = ", ".join(f"{row['voxels']} ({row['label']})" for row in result["dropped"])
        text += f"\nDropped components, in voxels (label): {counted}"
    reasons = {
        f"lesion {row['lesion']}, {name}: {reason}"
        for row in result["lesions"]
        for name, reason in row.get("reason", {}).items()
    }
    return "\n".join([text, *sorted(reasons)])


def _converted_text(rows: list[dict[str, Any]]) -> str:
    cells = [
        (
            row["output"],
            row["modality"],
            row["quantity"],
            " × ".join(str(n) for n in row["shape"]),
            " × ".join(f"{mm:.4g}" for mm in row["spacing_mm"]),
            "; ".join(row["warnings"]),
        )
        for row in rows
    ]
    return table(("written", "mod", "quantity", "shape", "spacing mm", "warnings"), cells)


def _number(value: float | None, *, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
