"""What reviewers said of drafts: the rows of a ``qa-results.csv``, faults reported, none refused.

The columns are those that the AIMI annotations were published with: reviewer, validation sample,
collection, patient, date, UIDs, the draft's file, its Likert score, comments, the corrected file.
Real tables break their own rules; whatever is wrong is a finding with its line, and the row stays.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from io import StringIO

from lesionary.core.errors import InputError

SCALE = (1, 2, 3, 4, 5)
"""Likert: 5 use as is, 4 and 3 minor edits, not needed and needed, 2 major edits, 1 unusable."""

BEST = SCALE[-1]
"""Any score below asks for a corrected mask."""

REQUIRED = ("Reviewer", "LikertScore")
CORRECTION, DRAFT, VALIDATION = "CorrectedSegmentation", "AISegmentation", "Validation"
SERIES_UIDS = ("SeriesInstanceUID", "PTSeriesInstanceUID", "CTSeriesInstanceUID")
KNOWN = frozenset({
    *REQUIRED, VALIDATION, "Collection", "PatientID", "StudyDate", "StudyDate_suffix",
    "StudyInstanceUID", *SERIES_UIDS, DRAFT, "CommentsAboutAISegmentation", "CommentsAboutScan",
    CORRECTION, "ContrastPhase",
})  # fmt: skip
"""Columns that mean something here; others are kept and can be grouped by."""

_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
_WHOLE = re.compile(r"\d{1,9}(\.0*)?", re.ASCII)


class Standing(StrEnum):
    """Whether a reviewer's word on a case is a score."""

    RATED = "rated"
    UNRATED = "unrated"
    BAD = "bad"
    CONFLICTING = "conflicting"


@dataclass(frozen=True, slots=True)
class RatingFinding:
    """Something wrong with a row; never with what the row says, which may name a patient.

    Parameters
    ----------
    code : str
        Such as ``low_without_correction``.
    line : int
        Where the row begins, from 1 with the header.
    reason : str
        One sentence.
    """

    code: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Rating:
    """One row.

    Parameters
    ----------
    line : int
        Where it begins, from 1 with the header.
    reviewer : str
        Empty where the row names none; it then counts for nobody.
    case : str
        What tells its case from others: the draft's file, else the UIDs; empty where there is
        nothing. May name a patient: never shown.
    score : int or None
        1 … 5.
    is_bad : bool
        Whether something stands in the score's place that is no score.
    is_validation : bool
        Whether the row is marked as of the validation sample.
    values : mapping of str
        The row as read, by column; all text.
    """

    line: int
    reviewer: str
    case: str
    score: int | None
    is_bad: bool
    is_validation: bool
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reviewer says of one case, all rows taken together.

    Parameters
    ----------
    reviewer : str
    case : int
        Number of the case, from 1 in the table's order.
    standing : Standing
        Two different scores by one reviewer are ``CONFLICTING``: neither counts.
    score : int or None
        Where ``RATED``.
    is_validation : bool
        Whether any of the rows is marked so.
    first : Rating
        The first of its rows.
    """

    reviewer: str
    case: int
    standing: Standing
    score: int | None
    is_validation: bool
    first: Rating


@dataclass(frozen=True)
class Ratings:
    """A table of ratings.

    Parameters
    ----------
    rows : tuple of Rating
        In the table's order.
    columns : tuple of str
        Of the table, in the spelling used here where known.
    findings : tuple of RatingFinding
        By line.
    """

    rows: tuple[Rating, ...]
    columns: tuple[str, ...]
    findings: tuple[RatingFinding, ...]

    @property
    def has_sample(self) -> bool:
        """Whether the table says which cases are of the validation sample."""
        return VALIDATION in self.columns

    @cached_property
    def reviewers(self) -> tuple[str, ...]:
        """All reviewers, by name."""
        return tuple(sorted({row.reviewer for row in self.rows if row.reviewer}))

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One for each reviewer and case; a row without a case is a case of its own."""
        numbers: dict[str, int] = {}
        together: dict[tuple[str, int], list[Rating]] = {}
        for row in self.rows:
            if row.reviewer:
                name = row.case or f"\n{row.line}"
                number = numbers.setdefault(name, len(numbers) + 1)
                together.setdefault((row.reviewer, number), []).append(row)
        return tuple(_verdict(case, rows) for (_, case), rows in together.items())


def _verdict(case: int, rows: list[Rating]) -> Verdict:
    scores = {row.score for row in rows if row.score is not None}
    standing = Standing.CONFLICTING
    if len(scores) == 1:
        standing = Standing.RATED
    elif not scores:
        standing = Standing.BAD if any(row.is_bad for row in rows) else Standing.UNRATED
    score = scores.pop() if standing is Standing.RATED else None
    is_validation = any(row.is_validation for row in rows)
    return Verdict(rows[0].reviewer, case, standing, score, is_validation, rows[0])


def parse_ratings(text: str) -> Ratings:
    r"""Read a ``qa-results.csv``.

    Parameters
    ----------
    text : str
        The file, decoded. Columns in any order, capitals or not; with or without a BOM, any line
        ends, quotes; ``TRUE`` and ``FALSE`` in ``Validation``.

    Returns
    -------
    Ratings
        Every row, and what is wrong with them. Rules: a score is 1 … 5; below 5 there is a
        corrected mask, at 5 there is none; a reviewer rates a case once; all rows agree
        whether a case is of the validation sample, which splits no patient (one finding a patient).

    Raises
    ------
    InputError
        If ``Reviewer`` or ``LikertScore`` is missing. Nothing else refuses a table.

    Examples
    --------
    >>> table = parse_ratings("Reviewer,LikertScore,AISegmentation\nrad1,4,ai_1.seg.dcm\n")
    >>> table.rows[0].score, table.rows[0].line
    (4, 2)
    """
    findings: list[RatingFinding] = []
    records = _records(text.removeprefix("\ufeff"), findings)
    _, header = next(records, (1, []))
    columns = _columns(header, findings)
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise InputError(
            f"the table lacks the column {' and '.join(missing)}",
            code="bad_table",
            hint="a table of ratings has the columns of qa-results.csv, separated by commas",
        )
    read = list(_rows(records, columns, findings))
    drafts = _drafts(read)
    rows = tuple(_rating(line, values, drafts) for line, values in read)
    for row in rows:
        findings.extend(_row_findings(row))
    findings.extend(_case_findings(rows))
    if VALIDATION in columns:
        findings.extend(_sample_findings(rows))
    kept = tuple(name for name in columns if name)
    return Ratings(rows, kept, tuple(sorted(findings, key=lambda found: found.line)))


def _records(text: str, findings: list[RatingFinding]) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the line where it begins."""
    reader = csv.reader(StringIO(text, newline=""))
    start, n_lines = 1, 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error:
            findings.append(RatingFinding("breaks_off", start, "the table is unreadable from here"))
            return
        n_lines, line = reader.line_num - start + 1, start
        start = reader.line_num + 1
        if any(value.strip() for value in record):
            yield line, record
    if n_lines > 1 and text.count('"') % 2:
        why = "a quote is not closed: all that follows was taken for one field"
        findings.append(RatingFinding("open_quote", start - n_lines, why))


def _columns(header: list[str], findings: list[RatingFinding]) -> list[str]:
    """Name the columns as we spell them; a column that is there twice counts once."""
    spelling = {name.casefold(): name for name in KNOWN}
    columns: list[str] = []
    for number, found in enumerate(header, start=1):
        name = spelling.get(found.strip().casefold(), found.strip())
        if name and name in columns:
            why = f"column {number} is there already: the first one counts"
            findings.append(RatingFinding("column_twice", 1, why))
            name = ""
        elif name not in KNOWN:
            why = f"column {number} is none of qa-results.csv: kept, not used"
            findings.append(RatingFinding("unknown_column", 1, why))
        columns.append(name)
    for name, used in ((VALIDATION, "the sample is all cases"), (CORRECTION, "none is checked")):
        if name not in columns:
            why = f"there is no column {name}: {used}"
            findings.append(RatingFinding("missing_column", 1, why))
    return columns


def _rows(
    records: Iterator[tuple[int, list[str]]], columns: list[str], findings: list[RatingFinding]
) -> Iterator[tuple[int, dict[str, str]]]:
    for line, record in records:
        if len(record) != len(columns):
            why = f"the row has {len(record)} fields under {len(columns)} columns"
            findings.append(RatingFinding("ragged_row", line, why))
        if any("\ufffd" in value for value in record):
            findings.append(RatingFinding("not_utf8", line, "the row holds bytes that are no text"))
        padded = record + [""] * (len(columns) - len(record))
        row = zip(columns, padded, strict=False)
        yield line, {name: value.strip() for name, value in row if name}


def _uids(values: Mapping[str, str]) -> str:
    """Join the series' UIDs, or failing them the study's with what tells its scans apart."""
    series = [values.get(name, "") for name in SERIES_UIDS]
    if any(series):
        return "\n".join(series)
    study = values.get("StudyInstanceUID", "")
    return f"{study}\n{values.get('StudyDate_suffix', '')}" if study else ""


def _drafts(read: list[tuple[int, dict[str, str]]]) -> dict[str, str]:
    """Map UIDs to the draft's file, where rows name both, and no two files for the same UIDs."""
    named: dict[str, set[str]] = {}
    for _, values in read:
        if values.get(DRAFT) and (uids := _uids(values)):
            named.setdefault(uids, set()).add(values[DRAFT])
    return {uids: min(names) for uids, names in named.items() if len(names) == 1}


def _rating(line: int, values: dict[str, str], drafts: Mapping[str, str]) -> Rating:
    said = values["LikertScore"]
    number = int(said.partition(".")[0]) if _WHOLE.fullmatch(said) else None
    score = number if number in SCALE else None
    uids = _uids(values)
    return Rating(
        line=line,
        reviewer=values["Reviewer"],
        case=values.get(DRAFT) or drafts.get(uids, uids),
        score=score,
        is_bad=bool(said) and score is None,
        is_validation=values.get(VALIDATION, "").casefold() in _TRUE,
        values=values,
    )


def _row_findings(row: Rating) -> Iterator[RatingFinding]:
    """Say what is wrong with a row by itself."""
    corrected = row.values.get(CORRECTION)
    if not row.reviewer:
        yield RatingFinding("no_reviewer", row.line, "the row names no reviewer: left out")
    if not row.case:
        why = "the row names neither draft nor series: it counts, but is compared with no other"
        yield RatingFinding("no_case", row.line, why)
    if row.is_bad:
        yield RatingFinding("bad_score", row.line, "the score is not a whole number from 1 to 5")
    elif row.score is None:
        yield RatingFinding("no_score", row.line, "there is no score")
    elif row.score < BEST and corrected == "":
        where = "in" if row.is_validation else "outside"
        why = f"a score of {row.score} without a corrected mask, {where} the validation sample"
        yield RatingFinding("low_without_correction", row.line, why)
    elif row.score == BEST and corrected:
        why = f"a score of {BEST} with a corrected mask"
        yield RatingFinding("best_with_correction", row.line, why)
    if row.values.get(VALIDATION, "true").casefold() not in _TRUE | _FALSE:
        why = "Validation is neither TRUE nor FALSE: taken for FALSE"
        yield RatingFinding("bad_validation", row.line, why)


def _case_findings(rows: tuple[Rating, ...]) -> Iterator[RatingFinding]:
    """Say where a reviewer rated a case twice."""
    seen: dict[tuple[str, str], Rating] = {}
    for row in rows:
        before = seen.setdefault((row.reviewer, row.case), row)
        if before is row or not row.case or not row.reviewer:
            continue
        same = before.score == row.score
        code = "duplicate_rating" if same else "conflicting_rating"
        how = "with the same score" if same else "with another score: neither is compared"
        why = f"the reviewer of line {before.line} rated the same case there, {how}"
        yield RatingFinding(code, row.line, why)


def _sample_findings(rows: tuple[Rating, ...]) -> Iterator[RatingFinding]:
    """Say where the validation sample splits a case or a patient."""
    cases: dict[str, Rating] = {}
    patients: dict[str, Rating] = {}
    split: set[str] = set()
    for row in rows:
        patient = row.values.get("PatientID", "")
        case_before = cases.setdefault(row.case, row)
        patient_before = patients.setdefault(patient, row)
        if row.case and case_before.is_validation != row.is_validation:
            why = f"line {case_before.line} says otherwise whether the case is of the sample"
            yield RatingFinding("validation_differs", row.line, why)
        elif patient_before.is_validation != row.is_validation and patient not in {"", *split}:
            split.add(patient)
            why = f"the patient of line {patient_before.line} lies both in and outside the sample"
            yield RatingFinding("split_patient", row.line, why)
