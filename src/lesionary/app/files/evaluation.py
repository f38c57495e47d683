"""``file evaluate``: predicted masks against references, one case or two folders of them."""

from collections.abc import Sequence
from pathlib import Path

from lesionary.app.comparison_files import write_comparison
from lesionary.app.files.mask_files import MaskFile, read_on_one_grid, with_texts
from lesionary.app.files.reading import PathLike, Reading, read_texts
from lesionary.app.files.scored_folders import EvaluatedCases, FolderRules, ScoredFolders
from lesionary.app.files.scoring import Document, Scoring, score
from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError


def evaluate(
    references: Sequence[PathLike],
    prediction: PathLike,
    *,
    scoring: Scoring | None = None,
    labels: str | None = None,
    folders: FolderRules | None = None,
    out: PathLike | None = None,
    reading: Reading | None = None,
) -> Document:
    """Score a predicted mask, or a folder of them.

    Parameters
    ----------
    references, prediction : path
        Mask files; or folders, where files at the same place below them are one case.
    scoring : Scoring, optional
        Tolerances, composites, matching rule.
    labels : str, optional
        JSON, or a JSON file, of texts by value.
    folders : FolderRules, optional
        How files of folders become cases.
    out : path, optional
        Folder for tables (CSV, JSON, LaTeX) and figures (SVG, PNG).

    Returns
    -------
    dict
        Of one case: the contract's document. Of folders: ``{cases, summary, left_out, notes}``.
    """
    options = (scoring or Scoring()).options()
    texts = read_texts(labels)
    chosen = reading or Reading()
    rules = folders or FolderRules()
    paths = [Path(prediction), *(Path(reference) for reference in references)]
    _require_references(paths[1:])
    comparison: Sequence[Document] = ()
    if any(path.is_dir() for path in paths):
        scored = ScoredFolders(options, texts, rules, chosen)
        found = scored.evaluate(paths)
        document: Document = _document_of_many(found)
        if rules.versus is not None:
            comparison = scored.compare(found, Path(rules.versus), paths)
            document["comparison"] = comparison
    else:
        _require_no_rules(rules, paths)
        files = [MaskFile(path, str(path)) for path in paths]
        maps = with_texts(read_on_one_grid(files, chosen), texts)
        document = score(maps, [file.name for file in files[1:]], options)
        found = EvaluatedCases([(CaseKey("", "1", "1"), document)])
    if out is not None:
        document["written"] = _write(Path(out), found, comparison)
    return document


def _require_no_rules(rules: FolderRules, paths: Sequence[Path]) -> None:
    if rules != FolderRules():
        raise InputError(
            "--case-from, --missing-is-empty and --versus are for folders",
            code="usage",
            hint="leave them out, or give the folder of the prediction and of every reference",
            sources=[str(path) for path in paths],
        )


def _document_of_many(found: EvaluatedCases) -> Document:
    from lesionary.evaluate.summary import summarise

    return {
        "cases": [
            {"group": key.group, "subject": key.subject, "case": key.case, **document}
            for key, document in found.cases
        ],
        "summary": summarise(found.cases).to_json(),
        "left_out": found.left_out,
        "notes": [*found.notes, *_said_of_all(found)],
    }


def _said_of_all(found: EvaluatedCases) -> list[str]:
    """Return the warnings that hold for every case, such as a tolerance that nothing has."""
    said = [
        {text for one in document.get("references", [document]) for text in one["warnings"]}
        for _, document in found.cases
    ]
    return sorted(set.intersection(*said))


def _write(folder: Path, found: EvaluatedCases, comparison: Sequence[Document]) -> list[str]:
    from lesionary.evaluate.entries import case_rows
    from lesionary.evaluate.summary import summarise
    from lesionary.publish.comparison.evaluation import evaluation_pictures, evaluation_tables

    rows = case_rows(found.cases)
    return write_comparison(
        folder,
        evaluation_tables(
            summarise(found.cases).to_json(),
            rows,
            comparison=comparison,
            left_out=found.left_out,
        ),
        evaluation_pictures(rows),
        about={"compared": "predictions and references", "cases": len(found.cases)},
    )


def _require_references(references: Sequence[Path]) -> None:
    from lesionary.evaluate.evaluation import RESERVED

    if not references:
        raise InputError("no reference is given", code="usage", hint="name one with --reference")
    names = [str(path) for path in references]
    if len(set(names)) < len(names):
        raise InputError(
            "the same reference is given twice", code="usage", hint="name each once", sources=names
        )
    if len(names) > 1 and RESERVED.intersection(names):
        raise InputError(
            "a reference bears the name of what is made of all",
            code="usage",
            hint=f"{' and '.join(sorted(RESERVED))} are taken: give its whole path",
            sources=names,
        )
