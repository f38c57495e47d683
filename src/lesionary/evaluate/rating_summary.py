"""What ratings add up to: counts by reviewer, agreement of each two, means by group."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from lesionary.core.errors import InputError
from lesionary.core.statistics import (
    KendallTau,
    cohen_kappa,
    kendall_tau_b,
    mean_interval,
    spread_of,
)
from lesionary.evaluate.ratings import (
    DRAFT,
    KNOWN,
    SCALE,
    Rating,
    Ratings,
    Standing,
    Verdict,
)

GROUPABLE = ("Collection", "ContrastPhase", "Reviewer", "Validation")
"""Columns of the format that name no patient, no scan and no date."""

_IDENTIFYING = frozenset(name.casefold() for name in KNOWN.difference(GROUPABLE))
_ALL, _VALIDATION = "all", "validation"


def summarise_ratings(ratings: Ratings, *, group_by: str | None = None) -> dict[str, Any]:
    """Summarise a table of ratings.

    Every number rests on cases, not rows: a row that is there twice counts once, and a case that
    one reviewer scored twice, differently, has no score of theirs. Where the published notebooks
    would print something else, ``as_published`` holds it beside.

    Parameters
    ----------
    ratings : Ratings
    group_by : str, optional
        A column, such as ``ContrastPhase``: mean score by its values and reviewers.

    Returns
    -------
    dict
        ``{reviewers, rows, scale, counts, pairs, group_by, groups, findings, cases}``. ``pairs``
        compares each two reviewers over the cases that both rated: in the validation sample, and
        over all where that is more. Cases are numbered, never named.

    Raises
    ------
    InputError
        If there is no such column, or it identifies patients.
    """
    column = _column(ratings, group_by)
    return {
        "reviewers": list(ratings.reviewers),
        "rows": len(ratings.rows),
        "scale": list(SCALE),
        "counts": likert_counts(ratings),
        "pairs": rater_pairs(ratings),
        "group_by": column or "",
        "groups": likert_groups(ratings, column) if column else [],
        "findings": [
            {"code": found.code, "line": found.line, "reason": found.reason}
            for found in ratings.findings
        ],
        "cases": _cases(ratings, column),
    }


def likert_counts(ratings: Ratings) -> list[dict[str, Any]]:
    """Count each reviewer's scores, over the validation sample and over all cases.

    Returns
    -------
    list of dict
        ``{reviewer, sample, cases, rated, counts: {"1": n, …}, unrated, bad, conflicting}``;
        ``as_published`` with the counts of rows, where rows are there twice.
    """
    return [
        _count(ratings, reviewer, sample)
        for sample in ((_VALIDATION, _ALL) if ratings.has_sample else (_ALL,))
        for reviewer in ratings.reviewers
    ]


def _count(ratings: Ratings, reviewer: str, sample: str) -> dict[str, Any]:
    verdicts = [v for v in _of_sample(ratings.verdicts, sample) if v.reviewer == reviewer]
    standings = Counter(verdict.standing for verdict in verdicts)
    counts = _scores(verdict.score for verdict in verdicts)
    row: dict[str, Any] = {
        "reviewer": reviewer,
        "sample": sample,
        "cases": len(verdicts),
        "rated": standings[Standing.RATED],
        "counts": counts,
        "unrated": standings[Standing.UNRATED],
        "bad": standings[Standing.BAD],
        "conflicting": standings[Standing.CONFLICTING],
    }
    mine = [r for r in ratings.rows if r.reviewer == reviewer]
    as_published = _scores(r.score for r in mine if sample == _ALL or r.is_validation)
    return row if as_published == counts else {**row, "as_published": {"counts": as_published}}


def _scores(scores: Iterable[int | None]) -> dict[str, int]:
    found = Counter(scores)
    return {str(step): found[step] for step in SCALE}


def _of_sample(verdicts: Sequence[Verdict], sample: str) -> list[Verdict]:
    return [v for v in verdicts if sample == _ALL or v.is_validation]


def rater_pairs(ratings: Ratings) -> list[dict[str, Any]]:
    """Compare each two reviewers over the cases that both rated.

    Returns
    -------
    list of dict
        ``{first, second, sample, n, n_subjects, kendall_tau_b, p, p_permutation, exact_agreement,
        cohen_kappa, weighted_kappa, table}``. ``p_permutation`` is that of tau for few cases; both
        take cases for independent, and ``n_subjects`` says of how many patients they are.
        ``exact_agreement`` is a share, weights are quadratic, ``table`` counts cases by the first's
        score (rows) and the second's. Undefined is None with a reason: tau where a reviewer never
        varies.
    """
    pairs = []
    for first, second in combinations(ratings.reviewers, 2):
        everything = _pair(ratings, first, second, _ALL)
        if not ratings.has_sample:
            pairs.append(everything)
            continue
        sampled = _pair(ratings, first, second, _VALIDATION)
        pairs.append(sampled)
        if everything["n"] > sampled["n"]:
            pairs.append(everything)
    return pairs


def _pair(ratings: Ratings, first: str, second: str, sample: str) -> dict[str, Any]:
    scores: dict[str, dict[int, int]] = {first: {}, second: {}}
    subjects: dict[int, str] = {}
    for verdict in _of_sample(ratings.verdicts, sample):
        if verdict.reviewer in scores and verdict.score is not None and verdict.first.case:
            scores[verdict.reviewer][verdict.case] = verdict.score
            subjects[verdict.case] = _subject(verdict)
    shared = sorted(scores[first].keys() & scores[second].keys())
    a, b = ([scores[reviewer][case] for case in shared] for reviewer in (first, second))
    tau, agreement = kendall_tau_b(a, b), cohen_kappa(a, b, scale=SCALE)
    row: dict[str, Any] = {
        "first": first,
        "second": second,
        "sample": sample,
        "n": len(shared),
        "n_subjects": len({subjects[case] for case in shared}),
        "kendall_tau_b": tau.tau,
        "p": tau.p,
        "p_permutation": tau.p_permutation,
        "exact_agreement": agreement.exact,
        "cohen_kappa": agreement.kappa,
        "weighted_kappa": agreement.weighted_kappa,
        "table": [list(counts) for counts in agreement.table],
    }
    why = {
        **dict.fromkeys(("kendall_tau_b", "p", "p_permutation"), _named(tau.reason, first, second)),
        **dict.fromkeys(("exact_agreement", "cohen_kappa", "weighted_kappa"), agreement.reason),
    }
    reason = {name: text for name, text in why.items() if row[name] is None}
    if reason:
        row["reason"] = reason
    as_published = _as_published(ratings, first, second, tau) if sample == _VALIDATION else None
    return {**row, "as_published": as_published} if as_published else row


def _subject(verdict: Verdict) -> str:
    """Name whose the case is; without a patient each case is a subject's own."""
    return verdict.first.values.get("PatientID") or f"\n{verdict.case}"


def _named(reason: str, first: str, second: str) -> str:
    if reason.startswith("needs"):
        return "too few cases that both rated: " + reason
    return reason.replace("the first side", first, 1).replace("the second side", second, 1)


def _as_published(
    ratings: Ratings, first: str, second: str, honest: KendallTau
) -> dict[str, Any] | None:
    """Return what the notebooks print, where it differs.

    They take the rows of the validation sample, sort each reviewer's by the draft's file, and
    compare them place by place; a tau that is undefined they print as nan.
    """
    rows = [row for row in ratings.rows if row.is_validation]
    mine, theirs = (_by_draft(rows, reviewer) for reviewer in (first, second))
    drafts = {row.values.get(DRAFT) for row in mine} & {row.values.get(DRAFT) for row in theirs}
    mine, theirs = (
        [row for row in side if row.values.get(DRAFT) in drafts] for side in (mine, theirs)
    )

    def printed(tau: float | None, p: float | None, reason: str) -> dict[str, Any]:
        row = {"tau": tau, "p": p, "n": len(mine)}
        why = {name: reason for name, value in row.items() if value is None}
        return row | {"reason": why} if why else row

    if len(mine) != len(theirs):
        return printed(None, None, "the notebook stops: one reviewer has more rows than the other")
    scores = [[row.score for row in side] for side in (mine, theirs)]
    if any(score is None for side in scores for score in side):
        return printed(None, None, "the notebook stops: a row has no score")
    found = kendall_tau_b(*([float(s or 0) for s in side] for side in scores))
    if found.tau is None:
        return printed(None, None, "the notebook prints nan") if mine else None
    if (found.n, found.tau) == (honest.n, honest.tau):
        return None
    return printed(found.tau, found.p, found.reason)


def _by_draft(rows: Sequence[Rating], reviewer: str) -> list[Rating]:
    mine = [row for row in rows if row.reviewer == reviewer and row.values.get(DRAFT)]
    return sorted(mine, key=lambda row: row.values[DRAFT])


def likert_groups(ratings: Ratings, column: str) -> list[dict[str, Any]]:
    """Average each reviewer's scores by a column's values, over all cases.

    Returns
    -------
    list of dict
        ``{column, value, reviewer, n, n_subjects, mean, low, high, interval_method, median,
        counts}``; an empty value means that the row has none. ``low`` to ``high`` is a 95 %
        interval of the mean that rests on patients, None below two; ``mean`` is None where nothing
        was rated.
    """
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in ratings.verdicts:
        key = (verdict.first.values.get(column, ""), verdict.reviewer)
        found.setdefault(key, []).append(verdict)
    return [_group(column, *key, found[key]) for key in sorted(found)]


def _group(column: str, value: str, reviewer: str, verdicts: list[Verdict]) -> dict[str, Any]:
    rated = [v for v in verdicts if v.score is not None]
    scores = np.array([v.score for v in rated], dtype=np.float64)
    mean = mean_interval(
        scores, subjects=[_subject(v) for v in rated], bounds=(SCALE[0], SCALE[-1])
    )
    spread = spread_of(scores)
    row: dict[str, Any] = {
        "column": column,
        "value": value,
        "reviewer": reviewer,
        "n": len(rated),
        "n_subjects": mean.n_subjects,
        "mean": mean.estimate,
        "low": mean.low,
        "high": mean.high,
        "interval_method": mean.method,
        "median": spread.median if spread else None,
        "counts": _scores(v.score for v in rated),
    }
    undefined = {name: mean.reason for name, number in row.items() if number is None}
    return {**row, "reason": undefined} if undefined else row


def _column(ratings: Ratings, group_by: str | None) -> str | None:
    """Find the column as the table spells it."""
    if group_by is None:
        return None
    wanted = group_by.strip().casefold()
    if wanted in _IDENTIFYING:
        raise InputError(
            "ratings are not grouped by what identifies a patient or a scan, nor by comments",
            code="usage",
            hint=f"group by {', '.join(GROUPABLE[:2])}, or a column of your own",
        )
    for name in ratings.columns:
        if name.casefold() == wanted:
            return name
    raise InputError(
        "the table has no column of that name",
        code="usage",
        hint="give --group-by as the table's first line spells it",
    )


def _cases(ratings: Ratings, column: str | None) -> list[dict[str, Any]]:
    """List every case by its number, with the scores it has."""
    cases: dict[int, dict[str, Any]] = {}
    for verdict in ratings.verdicts:
        case = cases.setdefault(
            verdict.case, {"case": verdict.case, "is_validation": False, "scores": {}}
        )
        case["is_validation"] |= verdict.is_validation
        if verdict.score is not None:
            case["scores"][verdict.reviewer] = verdict.score
        if column:
            case.setdefault("group", verdict.first.values.get(column, ""))
    return [cases[number] for number in sorted(cases)]
