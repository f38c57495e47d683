"""``lesionary file clean``: rules that take voxels off a mask, counted before and after."""

from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, Output, table
from lesionary.cli.words import AffineChoice


def clean(
    mask: Path = typer.Argument(..., help="NIfTI, NRRD or MetaImage: one value a label."),
    rule: list[str] = typer.Option(
        ...,
        help="In order, as often as needed: intensity:-300..500, within:1+2,dilate=3mm,"
        " diameter:3..30mm, largest:2,labels=1+2+3, centremost, min_voxels:50.",
    ),
    output: Path = typer.Option(..., "-o", "--output", help="The cleaned mask to write."),
    image: Path = typer.Option(None, help="The mask's image: intensity needs it."),
    anatomy: Path = typer.Option(None, help="A mask of organs: within needs it, or own labels."),
    removed: Path = typer.Option(
        None, help="Also write what went: each voxel holds its step's number."
    ),
    affine: AffineChoice | None = typer.Option(
        None, help="sform or qform: which one counts where a NIfTI's two disagree."
    ),
    max_volume_bytes: int = typer.Option(
        None, help="Largest volume to read, in bytes; default 4 GiB."
    ),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Clean a mask by declared rules, with counts before and after each."""
    from lesionary.app import files

    result = files.clean(
        mask,
        output=output,
        rules=rule,
        image=image,
        anatomy=anatomy,
        removed=removed,
        reading=files.Reading.of(affine=affine, max_volume_bytes=max_volume_bytes),
    )
    Output(json).emit(result, _text(result))
    return DONE


def _text(result: dict[str, Any]) -> str:
    rows = [
        (
            str(step["step"]),
            step["rule"],
            str(row["label"]),
            _change(row["voxels_before"], row["voxels_after"]),
            _change(f"{row['volume_ml_before']:.4f}", f"{row['volume_ml_after']:.4f}"),
            _change(row["components_before"], row["components_after"]),
        )
        for step in result["steps"]
        for row in step["labels"]
    ]
    skipped = [
        f"step {step['step']}, {step['rule']}: skipped, {step['reason']['rule']}"
        for step in result["steps"]
        if "reason" in step
    ]
    header = ("step", "rule", "label", "voxels", "ml", "components")
    written = f"{result['output']}: {result['voxels']} voxels, {result['removed_voxels']} removed"
    return "\n".join(part for part in (table(header, rows), *skipped, written) if part)


def _change(before: object, after: object) -> str:
    return str(before) if before == after else f"{before} → {after}"
