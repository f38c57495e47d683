"""``lesionary explain``: from a published number back to voxels, readers, model and code."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lesionary.cli.output import DONE, PARTLY, Output, counted

if TYPE_CHECKING:
    from lesionary.app.study import Study

_SHOWN = 5
"""Places of one number that a terminal walks back from; ``--json`` has all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    # A negative number is a value, not an option.
    app.command(context_settings={"ignore_unknown_options": True})(explain)


def explain(
    study: Path = typer.Argument(..., help="The study folder."),
    value: str | None = typer.Argument(
        None,
        help="lesions.csv:LINE:COLUMN, lesions.json#/lesions/0/volume_ml, ser-0001/2/volume_ml,"
        " MASK.nii.gz@i,j,k (from 0, nibabel's order), or a number as printed: 12.3, '12.3 ml'.",
    ),
    release: Path | None = typer.Option(None, help="A release of this study that lies elsewhere."),
    prov: Path | None = typer.Option(
        None, help="Write W3C PROV-JSON to this file; without VALUE, of the whole study."
    ),
    *,
    recompute: bool = typer.Option(False, "--recompute", help="Make every step again; compare."),
    quick: bool = typer.Option(False, "--quick", help="Do not read the objects on the way."),
    most: int | None = typer.Option(
        None, min=1, help=f"Places of a number to walk back from; {_SHOWN} on a terminal, else all."
    ),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Walk from a published number to the voxels, masks, readers, model and code behind it."""
    from lesionary.app.study import Study
    from lesionary.core.errors import InputError

    opened = Study.open(study)
    if value is None:
        if prov is None:
            raise InputError(
                "there is nothing to explain",
                code="usage",
                hint="name a VALUE, such as lesions.csv:2:volume_ml; or --prov FILE for the whole"
                " study",
            )
        return _whole_study(opened, prov, Output(json))
    from lesionary.app.explain.explaining import explain as explain_value
    from lesionary.app.explain.explanation import ExplainOptions
    from lesionary.cli.explain_text import explanation_text

    at_most = most or (None if json else _SHOWN)
    options = ExplainOptions(release, recompute, not quick, at_most)
    found = explain_value(opened, value, options)
    output = Output(json)
    output.emit(found.document() if json else None, "" if json else explanation_text(found))
    if prov is not None:
        from lesionary.app.explain.provenance import write_explanation_prov

        write_explanation_prov(found, prov)
        output.note(f"PROV: {prov}")
    return DONE if found.holds else PARTLY


def _whole_study(study: "Study", prov: Path, output: Output) -> int:
    from lesionary.app.explain.provenance import write_study_prov

    n_records = write_study_prov(study, prov)
    text = f"{counted(n_records, 'record')}: {prov}"
    output.emit({"prov": str(prov), "records": n_records}, text)
    return DONE
