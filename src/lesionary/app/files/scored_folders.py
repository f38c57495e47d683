"""Predictions and references in folders: what lies at one place below them is one case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lesionary.app.files.case_names import case_keys, short_names
from lesionary.app.files.mask_files import (
    MaskFile,
    files_by_case,
    is_image_name,
    left_out,
    read_on_one_grid,
    refused_row,
    with_texts,
)
from lesionary.app.files.reading import PathLike, Reading
from lesionary.app.files.scoring import Document, score
from lesionary.core.cases import CaseKey
from lesionary.core.errors import InputError, LesionaryError
from lesionary.io.sources import SourceFinding

if TYPE_CHECKING:
    from lesionary.evaluate.options import EvaluateOptions


@dataclass(slots=True)
class EvaluatedCases:
    """What became of many cases."""

    cases: list[tuple[CaseKey, Document]] = field(default_factory=list)
    refused: list[SourceFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def left_out(self) -> list[Document]:
        """What was left out, as rows."""
        return [refused_row(one) for one in self.refused]


@dataclass(frozen=True, slots=True)
class FolderRules:
    """How files of several folders become cases.

    Parameters
    ----------
    case_from : str, optional
        ``{group}/{subject}_{timepoint}``: names collection and patient of a case, from its place
        below the folders without the ending.
    is_missing_empty : bool
        A case without a prediction is scored as an empty mask; else it is left out.
    versus : path, optional
        Another folder of predictions, compared with the first by Wilcoxon's test.
    """

    case_from: str | None = None
    is_missing_empty: bool = False
    versus: PathLike | None = None


@dataclass(frozen=True, slots=True)
class ScoredFolders:
    """Scores folder against folders, case by case."""

    options: "EvaluateOptions"
    texts: dict[int, str]
    rules: FolderRules
    reading: Reading

    def evaluate(self, paths: Sequence[Path]) -> EvaluatedCases:
        """Score the first folder against the others."""
        _require_folders(paths)
        names = short_names(paths[1:])
        found = EvaluatedCases()
        if self.rules.case_from is None:
            found.notes.append("no --case-from: every case counts as a subject of its own")
        with files_by_case(paths, self.reading) as (folders, findings):
            found.refused += findings
            predicted, *references = folders
            if not any(references):
                raise InputError("no mask is in it", code="no_cases", source=str(paths[1]))
            cases = sorted({name for one in references for name in one})
            keys = case_keys(cases, self.rules.case_from)
            for number, case in enumerate(cases):
                try:
                    files = _files_of(case, predicted, references, self.rules)
                    document = self._score(files, names)
                    found.cases.append((keys[case], document))
                except LesionaryError as error:
                    found.refused.append(left_out(case, number, error))
            n_empty = len(set(cases) - predicted.keys())
            extra = len(predicted.keys() - set(cases))
        if n_empty and self.rules.is_missing_empty:
            found.notes.append(f"cases without a prediction, scored as empty masks: {n_empty}")
        if extra:
            found.notes.append(f"predictions without a reference, which are not scored: {extra}")
        if not found.cases:
            first = found.refused[0].finding
            named = found.refused[0].name
            raise InputError(first.reason, code=first.code, hint=first.hint or None, source=named)
        return found

    def compare(self, found: EvaluatedCases, versus: Path, paths: Sequence[Path]) -> list[Document]:
        """Score another folder of predictions, and test the differences against each reference."""
        from lesionary.evaluate.comparison import compare
        from lesionary.evaluate.entries import against, entries

        other = self.evaluate([versus, *paths[1:]])
        found.refused += [one for one in other.refused if one not in found.refused]
        first, second = short_names([paths[0], versus])
        rows = []
        for reference in dict.fromkeys(entry.reference for entry in entries(found.cases)):
            sides = (against(cases, reference) for cases in (found.cases, other.cases))
            tested = compare(*sides, names=(first, second))
            rows += [{"reference": reference, **row} for row in tested]
        return rows

    def _score(self, files: Sequence[MaskFile | None], names: Sequence[str]) -> Document:
        """Score one case; a prediction that is None is an empty mask."""
        given = [file for file in files if file is not None]
        maps = with_texts(read_on_one_grid(given, self.reading), self.texts)
        if files[0] is None:
            maps = [maps[0].with_array(np.zeros_like(maps[0].array)), *maps]
        return score(maps, names, self.options)


def _require_folders(paths: Sequence[Path]) -> None:
    single = [path for path in paths if path.is_file() and is_image_name(path.name)]
    if single:
        raise InputError(
            "a folder is compared with folders, a mask with masks",
            code="usage",
            hint="give the prediction and every reference alike",
            source=str(single[0]),
        )


def _files_of(
    case: str,
    predicted: Mapping[str, tuple[MaskFile, ...]],
    references: Sequence[Mapping[str, tuple[MaskFile, ...]]],
    rules: FolderRules,
) -> list[MaskFile | None]:
    """Return the prediction, None where it is missing and counts as empty, and the references."""
    if case not in predicted and not rules.is_missing_empty:
        raise InputError(
            "there is no prediction for this case: it is not scored",
            code="no_prediction",
            hint="where the model found nothing, say --missing-is-empty",
            source=case,
        )
    n_lacking = sum(case not in one for one in references)
    if n_lacking:
        raise InputError(
            f"{n_lacking} of {len(references)} references lack this case",
            code="no_reference",
            hint="score them one by one, or give every reference all cases",
            source=case,
        )
    held_by_all = [predicted.get(case, ()), *(one[case] for one in references)]
    for held in held_by_all:
        if len(held) > 1:
            raise InputError(
                f"{len(held)} files stand at one place and differ in their endings only",
                code="several_masks",
                hint="keep one of them",
                source=case,
            )
    return [held[0] if held else None for held in held_by_all]
