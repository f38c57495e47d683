"""Rows of RS: what each time point says by RECIST 1.1 and iRECIST, and the best of all."""

from collections.abc import Iterator
from typing import Any

from lesionary.publish.response.cdisc_variables import TESTS
from lesionary.publish.response.cdisc_visits import Assessment
from lesionary.publish.response.courses import Row

RECIST, IRECIST = "RECIST 1.1", "iRECIST"

_TESTS = (
    ("TRGRESP", "target_response"),
    ("NTRGRESP", "non_target_response"),
    ("OVRLRESP", "overall_response"),
)


def response_rows(seen: Assessment) -> Iterator[dict[str, Any]]:
    """Yield a reader's responses by time point; the baseline has none.

    New lesions have a row where there are some. The best response stands at the last time point,
    without a visit.
    """
    for criteria, prefix in ((RECIST, ""), (IRECIST, "i_")):
        if f"{prefix}overall_response" not in seen.responses[0]:
            continue
        for row in seen.responses[1:]:
            yield from _visit(seen, row, criteria, prefix)
        best = seen.responses[-1][f"{prefix}best_overall_response"]
        if best is not None:
            date = seen.responses[-1]["date"]
            yield {
                **_row(seen, criteria, "BESTRESP", best),
                "RSDTC": date,
                "RSDY": seen.day(date),
            }


def _visit(seen: Assessment, row: Row, criteria: str, prefix: str) -> Iterator[dict[str, Any]]:
    timepoint = str(row["timepoint"])
    visit = {
        "RSLNKGRP": seen.link_group(timepoint),
        **seen.visit("RS", timepoint, row["date"]),
    }
    for test, name in _TESTS:
        response = row[f"{prefix}{name}"]
        if test == "OVRLRESP" and row["new_lesion"]:
            yield _row(seen, criteria, "NEWLPROG", "UNEQUIVOCAL") | visit
        if response is not None:
            yield _row(seen, criteria, test, response) | visit


def _row(seen: Assessment, criteria: str, test: str, result: str) -> dict[str, Any]:
    return {
        **seen.keys,
        "RSTESTCD": test,
        "RSTEST": TESTS[test],
        "RSCAT": criteria,
        "RSORRES": result,
        "RSSTRESC": result,
        **seen.evaluator("RS"),
    }
