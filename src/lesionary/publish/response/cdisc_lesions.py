"""Rows of TU and TR: each lesion where it was first seen, and every sight of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from lesionary.publish.response.cdisc_variables import GROUPS, METHODS, TESTS, location_of
from lesionary.publish.response.cdisc_visits import Assessment
from lesionary.publish.response.courses import Row

TOO_SMALL = "TOO SMALL TO MEASURE"
TOO_SMALL_MM = "5"
"""What a lesion counts that is there, but too small, and nobody wrote a number down."""
NORMAL_NODE_MM = 10.0
"""Short axis below which a node is normal."""

_NOT_DONE: Mapping[str, str] = {
    "not_evaluable": "NOT EVALUABLE",
    "merged": "MERGED WITH ANOTHER LESION",
    "present": "NOT MEASURED",
}


def tumour_rows(seen: Assessment) -> Iterator[dict[str, Any]]:
    """Yield one row for each lesion, each part of a split one, and each merger.

    Lesions in the order in which they were first seen; of one time point in the observations'.
    """
    known: set[str] = set()
    for timepoint in seen.visit_numbers:
        for one in seen.observations:
            if one["timepoint"] != timepoint or one["role"] not in GROUPS:
                continue
            link = seen.link(one)
            if one["status"] == "merged" and f"{link}+" not in known:
                known.add(f"{link}+")
                carrier = seen.link({**one, "lesion": one["merged_into"], "part": ""})
                yield _tumour(seen, one, link, "TUMERGE", carrier if one["merged_into"] else None)
            elif link not in known:
                whole = seen.link({**one, "part": ""})
                test = "TUSPLIT" if one["part"] and whole in known else "TUMIDENT"
                yield _tumour(seen, one, link, test, whole if test == "TUSPLIT" else None)
            known.add(link)


def _tumour(seen: Assessment, one: Row, link: str, test: str, group: str | None) -> dict[str, Any]:
    role = GROUPS[one["role"]]
    return {
        **seen.keys,
        "TUGRPID": group,
        "TULNKID": link,
        "TUTESTCD": test,
        "TUTEST": TESTS[test],
        "TUORRES": role,
        "TUSTRESC": role,
        "TULOC": location_of(one["organ"]) if one["organ"] else None,
        "TUMETHOD": METHODS.get(one["modality"]),
        "TUBLFL": "Y" if one["timepoint"] == seen.first_timepoint else None,
        **seen.evaluator("TU"),
        **seen.visit("TU", one["timepoint"], one["date"]),
    }


def result_rows(seen: Assessment) -> Iterator[dict[str, Any]]:
    """Yield every sight of every lesion, and after each time point's targets their sum."""
    for response in seen.responses:
        timepoint = str(response["timepoint"])
        own = [one for one in seen.observations if one["timepoint"] == timepoint]
        for role in GROUPS:
            for one in own:
                if one["role"] == role:
                    yield _result(seen, one)
            if role == "target":
                yield from _sums(seen, response)


def _result(seen: Assessment, one: Row) -> dict[str, Any]:
    is_node = one["kind"] == "node"
    if one["role"] == "target":
        finding = _diameter(one, "LPERP" if is_node else "LDIAM")
    else:
        finding = _state(one, "LNSTATE" if is_node else "TUMSTATE")
    return {
        **seen.keys,
        "TRGRPID": GROUPS[one["role"]],
        "TRLNKID": seen.link(one),
        "TRLNKGRP": seen.link_group(one["timepoint"]),
        **finding,
        "TRMETHOD": METHODS.get(one["modality"]),
        "TRBLFL": "Y" if one["timepoint"] == seen.first_timepoint else None,
        **seen.evaluator("TR"),
        **seen.visit("TR", one["timepoint"], one["date"]),
    }


def _diameter(one: Row, test: str) -> dict[str, Any]:
    """Return a target's diameter as it was recorded; 0 where it is gone."""
    named = {"TRTESTCD": test, "TRTEST": TESTS[test]}
    size = one["diameter_mm"]
    if one["status"] == "too_small":
        return named | _measured(TOO_SMALL, str(size or TOO_SMALL_MM), "mm") | {"TRORRESU": None}
    if one["status"] == "absent":
        return named | _measured("0", "0", "mm")
    if size is None or one["status"] in {"not_evaluable", "merged"}:
        return named | _not_done(one)
    return named | _measured(str(size), str(size), "mm")


def _state(one: Row, test: str) -> dict[str, Any]:
    """Return whether a lesion that is not measured is there."""
    named = {"TRTESTCD": test, "TRTEST": TESTS[test]}
    status = one["status"]
    if status in {"not_evaluable", "merged"}:
        return named | _not_done(one)
    if one["role"] == "new" and status != "absent":
        word = "UNEQUIVOCAL"
    elif status == "unequivocal_progression":
        word = "UNEQUIVOCAL PROGRESSION"
    elif test == "LNSTATE":
        is_normal = status != "present" or _is_normal(one["diameter_mm"])
        word = "NONPATHOLOGICAL" if is_normal else "PATHOLOGICAL"
    else:
        word = "ABSENT" if status == "absent" else "PRESENT"
    return named | {"TRORRES": word, "TRSTRESC": word}


def _is_normal(diameter_mm: Any) -> bool:
    return diameter_mm is not None and float(diameter_mm) < NORMAL_NODE_MM


def _not_done(one: Row) -> dict[str, Any]:
    return {"TRSTAT": "NOT DONE", "TRREASND": _NOT_DONE.get(one["status"], "NOT EVALUABLE")}


def _measured(original: str, standard: str, unit: str) -> dict[str, Any]:
    return {
        "TRORRES": original,
        "TRORRESU": unit,
        "TRSTRESC": standard,
        "TRSTRESN": float(standard),
        "TRSTRESU": unit,
    }


def _sums(seen: Assessment, response: Row) -> Iterator[dict[str, Any]]:
    """Yield the target sum and its changes; a sum that is not complete was not done."""
    timepoint = str(response["timepoint"])
    if response["sum_mm"] is None and response.get("measured_sum_mm") is None:
        return
    shared = {
        **seen.keys,
        "TRGRPID": "TARGET",
        "TRLNKGRP": seen.link_group(timepoint),
        "TRBLFL": "Y" if timepoint == seen.first_timepoint else None,
        **seen.evaluator("TR"),
        **seen.visit("TR", timepoint, response["date"]),
    }
    for test, name, unit in (
        ("SUMDIAM", "sum_mm", "mm"),
        ("ACNSD", "change_from_nadir_mm", "mm"),
        ("PCBSD", "change_from_baseline_percent", "%"),
        ("PCNSD", "change_from_nadir_percent", "%"),
    ):
        value = response[name]
        named = {"TRTESTCD": test, "TRTEST": TESTS[test]}
        if value is not None:
            if test != "PCBSD" or timepoint != seen.first_timepoint:
                yield shared | named | _measured(repr(value), repr(value), unit)
        elif test == "SUMDIAM":
            why = response.get("reason", {}).get(name, "a target is not evaluable")
            yield shared | named | {"TRSTAT": "NOT DONE", "TRREASND": why}
