"""Check a study with its release, or a release alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lesionary.app.verify.published import verify_published
from lesionary.app.verify.releases import verify_release
from lesionary.app.verify.report import VerifyReport
from lesionary.core.errors import InputError
from lesionary.io import release_files
from lesionary.io.study_files import PROTOCOL_FILE

if TYPE_CHECKING:
    from lesionary.app.study import Study


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What the user asks for.

    Parameters
    ----------
    anchor : Path, optional
        A file that ``lesionary audit --anchor`` wrote.
    repair : bool
        Whether to make due again what can be made again.
    """

    anchor: Path | None = None
    repair: bool = False


def _is_file(path: Path) -> bool:
    """Tell whether there is a file; a name that the system does not take is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def verify_target(target: Path, options: VerifyOptions | None = None) -> VerifyReport:
    """Check everything, and report everything that does not hold.

    Memory does not grow with the study: rows, events and objects are read one after the other.

    Raises
    ------
    InputError
        If the folder is neither a study nor a release, or the anchor's file is none.
    WorkflowError
        If the study's registry cannot be read at all: ``registry_damaged``, ``registry_missing``.
    """
    options = options or VerifyOptions()
    report = VerifyReport()
    if _is_file(target / release_files.MANIFEST):
        if options.anchor is not None or options.repair:
            raise InputError(
                "a release alone has no audit, and nothing in it can be made again",
                code="usage",
                hint="--anchor and --repair are for studies",
            )
        verify_release(target, report)
    elif _is_file(target / PROTOCOL_FILE):
        _verify_study(target, options, report)
    else:
        raise InputError(
            "this folder is neither a study nor a release",
            hint="a study holds study.toml, a release holds release.json",
            source=str(target),
        )
    return report


def _verify_study(target: Path, options: VerifyOptions, report: VerifyReport) -> None:
    from lesionary.app.study import Study
    from lesionary.app.verify.repair import repair_study

    study = Study.open(target)
    try:
        if options.repair:
            report.repaired = repair_study(study)
        _check_study(study, options, report)
    finally:
        study.registry.close()


def _check_study(study: "Study", options: VerifyOptions, report: VerifyReport) -> None:
    from lesionary.app.verify.audit_trail import verify_audit
    from lesionary.app.verify.edited import verify_protocol
    from lesionary.app.verify.leaks import verify_leakage
    from lesionary.app.verify.rows import verify_database, verify_rows
    from lesionary.app.verify.stored import verify_objects
    from lesionary.io.registry.checks import snapshot

    with snapshot(study.registry) as connection:
        is_legible = verify_database(connection, report)
        if is_legible:
            verify_audit(connection, study.section.id, options.anchor, report)
            verify_rows(connection, report)
            verify_objects(study.objects, connection, report)
    if is_legible:
        verify_protocol(study, report)
        verify_leakage(study, report)
    if study.files.release.is_dir():
        verify_release(study.files.release, report)
    if is_legible:
        verify_published(study, report)
