"""Patients' reports as PDF: the release's pages on paper, for whoever files them."""

from pathlib import Path

from lesionary.app.release_place import release_place
from lesionary.app.response_outputs import patient_page
from lesionary.app.responses import subject_responses
from lesionary.app.results import series_results
from lesionary.app.study import Study
from lesionary.core.errors import InputError
from lesionary.io.durable import make_folder, write_bytes
from lesionary.io.release_files import resolved
from lesionary.publish.response.pdf import report_pdf


def write_pdfs(study: Study, folder: Path) -> list[Path]:
    """Write one PDF a subject that is judged, named like the subject; return their paths.

    Raises
    ------
    PluginUnavailableError
        Without WeasyPrint; nothing is written then.
    InputError
        If the folder lies within a study, a release or the vault.
    """
    place = release_place(study, folder)
    if place == resolved(study.files.release):
        raise InputError(
            "the release holds what was published, and nothing else",
            code="usage",
            hint="name another folder with --pdf",
            source=str(folder),
        )
    results = series_results(study)
    pages = {}
    for one in subject_responses(study):
        own = [result for result in results if result.row["subject_id"] == one.subject]
        pages[place / f"{one.subject}.pdf"] = report_pdf(patient_page(study, one, own))
    if pages:
        make_folder(place)
    for path, content in pages.items():
        write_bytes(path, content)
    return list(pages)
