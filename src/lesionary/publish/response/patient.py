"""A patient's report: one page a subject that needs nothing else, on screen and on paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lesionary.publish.comparison.picture import Picture
from lesionary.publish.report.table import Table
from lesionary.publish.report.wording import DASH, counted, millimetres
from lesionary.publish.response.chances import Chance, chances_of
from lesionary.publish.response.courses import Row, best_of, overall_of
from lesionary.publish.response.report_tables import (
    disagreement_table,
    growth_table,
    lesion_tables,
    response_table,
    straddle_table,
    unmatched_table,
    volume_table,
)
from lesionary.publish.response.sums import figure_sum

_CRITERIA = {"recist11": "RECIST 1.1", "irecist": "RECIST 1.1 and iRECIST"}
_DEFINITIONS = {
    "caliper": "the longest straight line within one slice, from edge to edge; "
    "of a lymph node the longest perpendicular to it",
    "as_published": "the sides of the smallest rectangle around the pixel centres of one slice",
}


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """By which rules response was judged.

    Parameters
    ----------
    criteria : str
        ``recist11`` or ``irecist``.
    confirm_days, sd_min_days : int
        After which a response is confirmed, and how long stable disease must last to count.
    definition : str
        How diameters were measured.
    diameters : str
        ``computed`` or ``reported``: which of the two response goes by.
    """

    criteria: str = "recist11"
    confirm_days: int = 28
    sd_min_days: int = 0
    definition: str = "caliper"
    diameters: str = "computed"

    @property
    def other(self) -> str:
        """The diameters that response does not go by."""
        return "computed" if self.diameters == "reported" else "reported"


@dataclass(frozen=True, slots=True, eq=False)
class PatientData:
    """Everything a patient's report says.

    Parameters
    ----------
    subject, study_name, software_version : str
    judged : mapping
        What ``respond`` puts out of this subject.
    rules : ResponseRules
    strips : tuple of Picture
        The lesions through time.
    """

    subject: str
    study_name: str
    software_version: str
    judged: Row
    rules: ResponseRules = ResponseRules()
    strips: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ReaderPart:
    """What one reader's measurements say."""

    reader: str
    numbers: tuple[tuple[str, str, str], ...]
    responses: Table
    chances: list[Chance]
    sum_svg: str
    targets: list[Table]
    others: list[Table]
    news: list[Table]
    straddles: Table
    volumes: Table
    growth: Table
    warnings: tuple[tuple[str, str], ...]


def render_patient_report(data: PatientData) -> str:
    """Write one subject's report.

    Parameters
    ----------
    data : PatientData
        A subject without responses has a report too: ``not_judged`` says why.

    Returns
    -------
    str
        HTML with its style, figures and pictures inside: no script, nothing to fetch, laid out for
        A4. The same data give the same text.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("lesionary.publish.response"),
                PackageLoader("lesionary.publish.report"),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    judged = data.judged
    return environment.get_template("patient.html.j2").render(
        data=data,
        criteria=_CRITERIA.get(data.rules.criteria, data.rules.criteria),
        is_proposed=judged.get("state") == "proposed",
        not_judged=judged.get("not_judged") or "",
        parts=[_part(data, reader) for reader in _readers(judged)],
        differences=disagreement_table(judged.get("disagreements", ())),
        has_several_readers=len(_readers(judged)) > 1,
        has_reported=any(row["track"] is not None for row in judged.get("reported", ())),
        unmatched=unmatched_table(judged.get("reported", ())),
        stale=judged.get("stale_decisions") or {"n": 0},
        rules=list(_rules(data.rules)),
    )


def _readers(judged: Row) -> list[str]:
    return list(dict.fromkeys(row["reader"] or "" for row in judged.get("responses", ())))


def _part(data: PatientData, reader: str) -> ReaderPart:
    judged = data.judged
    rows = _of(judged["responses"], reader)
    observations = _of(judged.get("observations", ()), reader)
    beside = _beside(judged.get("reported", ()), reader, f"{data.rules.other}_mm")
    growth = _of(judged.get("growth", ()), reader)
    chart = figure_sum(f"sum-{data.subject}-{reader}", rows)

    def lesions(*roles: str) -> list[Table]:
        return lesion_tables(observations, roles, rows, beside)

    return ReaderPart(
        reader=reader,
        numbers=tuple(_numbers(rows)),
        responses=response_table(rows),
        chances=chances_of(rows),
        sum_svg=chart.svg if chart else "",
        targets=lesions("target"),
        others=lesions("non-target", "marker"),
        news=lesions("new"),
        straddles=straddle_table(_of(judged.get("straddles", ()), reader)),
        volumes=volume_table(_of(judged.get("volumetric", ()), reader)),
        growth=growth_table([tumour for row in growth for tumour in row["tumours"]]),
        warnings=tuple(
            (str(row["timepoint"]), text) for row in rows for text in row.get("warnings", ())
        ),
    )


def _beside(reported: Sequence[Row], reader: str, name: str) -> dict[tuple[str, str], list[float]]:
    """Gather the diameters that response does not go by, by track and time point."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in reported:
        is_own = (row["reader"] or "") in {"", reader}
        if is_own and row["track"] is not None and row[name] is not None:
            found.setdefault((row["track"], str(row["timepoint"])), []).append(float(row[name]))
    return found


def _of(rows: Sequence[Row], reader: str) -> list[Row]:
    return [row for row in rows if (row["reader"] or "") == reader]


def _numbers(rows: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    """Yield value, unit and name of what stands on top."""
    last, first = rows[-1], rows[0]
    yield best_of(last) or DASH, "", "best overall response"
    confirmed = last.get("best_overall_response_confirmed")
    yield confirmed or DASH, "", "confirmed"
    yield overall_of(last) or DASH, "", f"at time point {last['timepoint']}"
    yield *_mm(first["sum_mm"]), "sum at baseline"
    yield *_mm(last["sum_mm"]), "sum at last"
    n = len(rows)
    yield str(n), "", counted(n, "time point").split(" ", 1)[1]


def _mm(value: Any) -> tuple[str, str]:
    text = millimetres(None if value is None else float(value))
    return text, "" if text == DASH else "mm"


def _rules(rules: ResponseRules) -> Iterator[str]:
    yield (
        "At most five targets, two of an organ; all lymph nodes are one organ. A tumour is "
        "measurable from 10 mm on, or from twice the slice thickness where that is above 5 mm; a "
        "node may be a target from 15 mm of its short axis on and is normal below 10 mm."
    )
    yield (
        "PR: the sum is at least 30 % below the baseline's. PD: at least 20 % and 5 mm above the "
        "smallest sum so far, or a new lesion, or unequivocal progression of non-targets. "
        "CR: targets and non-targets are gone, nodes below 10 mm. SD: neither."
    )
    how = _DEFINITIONS.get(rules.definition, rules.definition)
    yield f"Diameters are {how}. Thresholds are applied to them as recorded, without tolerance."
    yield (
        f"A response is confirmed by a second one at least {rules.confirm_days} days later; stable "
        f"disease counts from {rules.sd_min_days} days after the baseline on. The best response is "
        "closed at the first progression."
    )
    if rules.criteria == "irecist":
        yield (
            "iRECIST: a first progression is unconfirmed (iUPD); further growth or further new "
            "lesions at the next assessment confirm it (iCPD)."
        )
    yield (
        "Response by volume carries the thresholds over to spheres: PR at −65.7 %, PD at +72.8 %. "
        "No guideline sets them."
    )
    yield "Dates are shifted, each subject’s by one amount: the days between them are true."
