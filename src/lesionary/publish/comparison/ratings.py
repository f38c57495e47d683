"""Tables and figures of reviewers' ratings: the aimi paper's Likert counts and means (A9)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lesionary.publish.comparison.picture import Picture
from lesionary.publish.comparison.score_figures import Mean, figure_counts, figure_means
from lesionary.publish.comparison.tables import Column, Table

Row = Mapping[str, Any]


def rating_tables(found: Mapping[str, Any]) -> list[Table]:
    """Lay out a summary of ratings."""
    scale = [str(step) for step in found["scale"]]
    counts = [
        {
            **{name: value for name, value in row.items() if name != "counts"},
            **{f"score_{step}": row["counts"][step] for step in scale},
        }
        for row in found["counts"]
    ]
    tables = [
        Table("ratings_counts", "Likert scores by reviewer.", _counts_columns(scale), counts),
        Table(
            "ratings_pairs",
            "Reviewers two by two, over the cases both rated.",
            _PAIRS,
            _pairs(found),
        ),
        Table(
            "ratings_findings",
            "Rows that break the table's own rules.",
            _FINDINGS,
            found["findings"],
        ),
    ]
    if found["groups"]:
        caption = f"Mean Likert score by {found['group_by']}; intervals rest on patients."
        tables.append(Table("ratings_groups", caption, _GROUPS, _groups(found)))
    return tables


def rating_pictures(found: Mapping[str, Any]) -> Iterator[Picture]:
    """Draw the counts of each sample, and the scores of each group."""
    scale = [str(step) for step in found["scale"]]
    for sample in dict.fromkeys(row["sample"] for row in found["counts"]):
        bars = [
            (row["reviewer"], [row["counts"][step] for step in scale])
            for row in found["counts"]
            if row["sample"] == sample and row["rated"]
        ]
        if bars:
            title = f"Likert scores of the {_SAMPLES[sample]} by reviewer"
            yield figure_counts(f"ratings_counts_{sample}", title, bars, scale, "Likert score")
    means = [
        Mean(
            row["value"] or "none", row["reviewer"], row["mean"], row["low"], row["high"], row["n"]
        )
        for row in found["groups"]
        if row["n"]
    ]
    if means:
        title = f"Mean Likert score by {found['group_by']}, with 95 % intervals and n"
        yield figure_means("ratings_groups", title, means, "mean Likert score")


def _pairs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Write the published value beside the honest one; the cross table stays in the JSON."""
    rows = []
    for row in found["pairs"]:
        flat = {name: value for name, value in row.items() if name not in _NESTED}
        published = row.get("as_published")
        shown = {} if published is None else {"as_published_tau": published["tau"]}
        rows.append(flat | shown)
    return rows


def _groups(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "counts"} for row in found["groups"]]


def _counts_columns(scale: Sequence[str]) -> list[Column]:
    return [
        Column("reviewer", "reviewer"),
        Column("sample", "cases"),
        *(Column(f"score_{step}", step) for step in scale),
        Column("unrated", "unrated"),
        Column("rated", "n"),
    ]


_SAMPLES = {"validation": "validation sample", "all": "cases"}
_NESTED = frozenset({"table", "as_published"})
_PAIRS = (
    Column("first", "reviewer"),
    Column("second", "reviewer"),
    Column("sample", "cases"),
    Column("n", "n"),
    Column("kendall_tau_b", "Kendall's τ-b", 3),
    Column("n_subjects", "patients"),
    Column("p", "p", 3),
    Column("p_permutation", "p by permutation", 3),
    Column("exact_agreement", "same score", 3),
    Column("weighted_kappa", "quadratic weighted κ", 3),
)
_GROUPS = (
    Column("value", "group"),
    Column("reviewer", "reviewer"),
    Column("n", "n"),
    Column("mean", "mean", 2),
    Column("low", "95 % from", 2),
    Column("high", "to", 2),
)
_FINDINGS = (Column("line", "line"), Column("code", "code"), Column("reason", "reason"))
