"""``lesionary split``: who trains and who tests, and whether the two share anything."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, Output, counted, table
from lesionary.cli.progress import progress
from lesionary.learn.members import WORDS, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lesionary.app.declared_sets import DeclareReport
    from lesionary.app.leakage import LeakReport
    from lesionary.app.splits import SplitReport
    from lesionary.app.study import Study
    from lesionary.learn.members import Unchecked


class By(StrEnum):
    """What parts are balanced by."""

    MODALITY = "modality"
    REGION = "region"
    NONE = "none"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(split)


def split(
    study: Path = typer.Argument(..., help="The study folder."),
    name: str | None = typer.Option(
        None, help="The split's name; default `default`, all with --check."
    ),
    test: str = typer.Option("0.2", help="A share of the subjects, as 0.2, or a number, as 20."),
    holdout: str = typer.Option("0", help="The same; looked at once, at the end."),
    folds: int = typer.Option(5, help="Folds over the training subjects; 0 for none."),
    seed: int = typer.Option(0, help="Another seed draws others."),
    by: By = typer.Option(By.MODALITY, help="What parts and folds are balanced by."),
    declare: str | None = typer.Option(
        None,
        metavar="NAME=PATH",
        help="Declare a set outside the study: a .csv of identities, or a folder of images.",
    ),
    role: Role = typer.Option(Role.PRETRAINING, help="What the declared set is for."),
    *,
    check: bool = typer.Option(False, "--check", help="Draw nothing: only look for leaks."),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> int:
    """Assign subjects to train, test, holdout and folds, once and for good; find what leaks.

    A leak is exit code 2, and names the pairs. A split is stored all the same: draw one of another
    name once the leak is mended.
    """
    from lesionary.app.splits import DEFAULT_SPLIT, SplitOptions
    from lesionary.app.study import Study

    opened, output = Study.open(study), Output(json)
    if declare is not None:
        return _declare(opened, declare, role, output)
    if check:
        return _check(opened, name, output)
    options = SplitOptions(
        name=name or DEFAULT_SPLIT,
        test=share_of("--test", test),
        holdout=share_of("--holdout", holdout),
        folds=folds,
        seed=seed,
        by=by.value,
    )
    return _split(opened, options, output)


def share_of(option: str, text: str) -> float | int:
    """Read a share, ``0.2``, or a number of subjects, ``20``."""
    from lesionary.core.errors import InputError

    try:
        return int(text) if text.strip().isdecimal() else float(text)
    except ValueError:
        raise InputError(
            f"{option} takes a share of the subjects, as 0.2, or a number of them, as 20",
            code="usage",
        ) from None


def _split(study: "Study", options: Any, output: Output) -> int:
    from lesionary.app.splits import split_study

    report = split_study(study, options)
    report.leakage.require_none()
    output.emit(report.document(), _split_text(report))
    return DONE


def _check(study: "Study", name: str | None, output: Output) -> int:
    from lesionary.app.leakage import check_leakage

    report = check_leakage(study, name)
    report.require_none()
    output.emit(report.document(), "\n".join(_leak_lines(report)))
    return DONE


def _declare(study: "Study", declaration: str, role: Role, output: Output) -> int:
    from lesionary.app.declared_sets import declare_set
    from lesionary.core.errors import InputError

    name, equals, path = declaration.partition("=")
    if not equals or not path:
        raise InputError("--declare takes NAME=PATH, as msd=patients.csv", code="usage")
    with progress() as bars:
        report = declare_set(study, name, role, Path(path), progress=bars)
    output.emit(report.document(), _declared_text(report))
    return PARTLY if report.n_unread else DONE


def _split_text(report: "SplitReport") -> str:
    document = report.document()
    sizes, asked = document["sizes"], document["asked"]
    rows = [
        (part, str(sizes[part]), str(asked.get(part, "–"))) for part in ("train", "test", "holdout")
    ]
    lines = [
        f"Split {document['split']}: {counted(len(document['subjects']), 'subject')},"
        f" {document['new']} new, {counted(asked['folds'], 'fold')}",
        table(("part", "subjects", "asked"), rows),
        *_leak_lines(report.leakage),
    ]
    return "\n".join(lines)


def _leak_lines(report: "LeakReport") -> list[str]:
    lines = []
    for one in report.splits:
        lines.append(f"{_title(one.split)}: no leak found")
        if one.n_unassigned:
            lines.append(f"  {counted(one.n_unassigned, 'subject')} not assigned: split again")
        lines += _gap_lines(one.leaks.unchecked)
    return lines


def _gap_lines(gaps: "Iterable[Unchecked]") -> list[str]:
    """Say each thing that could not be checked once, with the sets that it is true of."""
    sets: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        sets.setdefault((WORDS[gap.kind], gap.reason), []).append(gap.in_set)
    return [
        f"  not checked: by {kind}, in {', '.join(names)}: {reason}"
        for (kind, reason), names in sets.items()
    ]


def _title(split: str | None) -> str:
    return "No split, all is training" if split is None else f"Split {split}"


def _declared_text(report: "DeclareReport") -> str:
    counts = ", ".join(f"{n} {kind}" for kind, n in report.counts.items())
    text = (
        f"{report.role} set {report.name}: {counts}"
        f" ({report.n_added} added, {report.n_removed} removed)"
    )
    if report.n_unread:
        text += f"\n{counted(report.n_unread, 'scan')} could not be read whole: voxels not compared"
    return text
