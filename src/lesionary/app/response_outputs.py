"""What a release shows of response: figures, a page a patient, and CDISC data sets (R9, X12)."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from lesionary.app.comparisons import Part
from lesionary.app.responses import SubjectResponse
from lesionary.app.results import SeriesResult
from lesionary.app.strips import strips_of
from lesionary.app.study import Study
from lesionary.io.release_files import ReleaseWriter

if TYPE_CHECKING:
    from lesionary.publish.comparison.picture import Picture

FOLDER = "response/"
_FEWEST_VISITS = 2


def response_part(responses: Sequence[SubjectResponse], *, are_animals: bool) -> Part | None:
    """Return response as the report shows it; None where no subject was seen twice."""
    from lesionary.publish.comparison.tables import Column, Table
    from lesionary.publish.response.pictures import response_pictures

    seen_twice = [one for one in responses if _n_visits(one) >= _FEWEST_VISITS]
    if not seen_twice:
        return None
    rows = [row for one in seen_twice for row in one.responses()]
    n_proposed = sum(one.state == "proposed" for one in seen_twice)
    caption = (
        f"Response of {len(seen_twice)} subjects that were seen at two time points or more. "
        + ("Every link and target is affirmed by a reader." if not n_proposed else "")
        + (f"Of {n_proposed}, links or targets are proposed, not affirmed." if n_proposed else "")
    )
    columns = (
        Column("subject", "subject"),
        Column("reader", "reader"),
        Column("timepoint", "time point"),
        Column("sum_mm", "sum (mm)", 1),
        Column("change_from_baseline_percent", "to baseline (%)", 1),
        Column("change_from_nadir_percent", "to nadir (%)", 1),
        Column("target_response", "target"),
        Column("non_target_response", "non-target"),
        Column("new_lesion", "new lesion", words={True: "yes", False: "no"}),
        Column("overall_response", "overall"),
        Column("best_overall_response", "best"),
    )
    pictures = response_pictures([one.judged for one in seen_twice], is_animal=are_animals)
    return Part("Response", FOLDER, [Table("responses", caption, columns, rows)], pictures)


def write_response_outputs(
    study: Study,
    responses: Sequence[SubjectResponse],
    series: Sequence[SeriesResult],
    pictures: "Sequence[Picture]",
    writer: ReleaseWriter,
) -> None:
    """Write the figures, every published subject's page, and the CDISC data sets."""
    from lesionary.publish.response.cdisc import cdisc_tables

    subjects = {one.row["subject_id"] for one in series}
    chosen = [one for one in responses if one.subject in subjects]
    for picture in pictures:
        for name, data in picture.files():
            writer.add_bytes(f"{FOLDER}figures/{name}", data)
    for one in chosen:
        own = [result for result in series if result.row["subject_id"] == one.subject]
        writer.add_text(f"{FOLDER}patients/{one.subject}.html", patient_page(study, one, own))
    if chosen:
        tables = cdisc_tables(study.section.title, [one.judged for one in chosen])
        for name, data in tables.files():
            writer.add_bytes(f"{FOLDER}cdisc/{name}", data)


def patient_page(study: Study, one: SubjectResponse, own: Sequence[SeriesResult]) -> str:
    """Return one subject's report; ``own`` are the series of this subject."""
    from lesionary.publish.response.patient import (
        PatientData,
        ResponseRules,
        render_patient_report,
    )

    section = study.protocol.respond
    rules = ResponseRules(
        section.criteria,
        section.confirm_days,
        section.sd_min_days,
        study.protocol.measure.diameter,
        section.diameters,
    )
    readers = dict.fromkeys(row["reader"] or "" for row in one.judged["responses"])
    strips = [
        picture
        for reader in readers
        for picture in strips_of(study, one.judged, own, reader=reader)
    ]
    return render_patient_report(
        PatientData(
            subject=one.subject,
            study_name=study.section.title,
            software_version=version("lesionary"),
            judged=one.judged,
            rules=rules,
            strips=tuple(strips),
        )
    )


def _n_visits(one: SubjectResponse) -> int:
    return len({row["timepoint"] for row in one.judged["responses"]})
