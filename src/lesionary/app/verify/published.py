"""The study's own release against the audit: is it the last one that was published."""

import json
from typing import TYPE_CHECKING, Any

from lesionary.app.verify.report import VerifyReport
from lesionary.io import release_files

if TYPE_CHECKING:
    from lesionary.app.study import Study

_UNIT = "release/published"
_PUBLISH = "`lesionary publish STUDY` writes it anew"


def verify_published(study: "Study", report: VerifyReport) -> None:
    """Compare the release's checksums with what the audit says was published last.

    Who changed a file and its checksum together is found so, and who put an older release back. A
    release that no event tells of yet was put in its place a moment before its process was killed:
    the next run tells of it. It is known by its key, which the study as it is now must give.
    """
    with report.section(_UNIT):
        try:
            _compare(study, report)
        except ValueError:  # no JSON: the check of rows and events tells whose
            reason = "rows or events of the release were changed: nothing can be said of it"
            report.fail(_UNIT, "not_checked", reason)


def _compare(study: "Study", report: VerifyReport) -> None:
    told = _last_published(study)
    if not study.files.release.is_dir():
        if told is not None:
            report.fail(_UNIT, "file_missing", "a release was published, but it is gone", _PUBLISH)
        return
    manifest = release_files.read_manifest(study.files.release)
    if manifest is None:
        return  # its own check tells
    sums = release_files.file_digest(study.files.release / release_files.CHECKSUMS)
    if sums != told and not _is_untold(study, manifest.get("key"), sums, told):
        reason = "its checksums are not those of what was published last"
        report.fail(_UNIT, "release_changed", reason, _PUBLISH)


def _last_published(study: "Study") -> str | None:
    """Return the checksum of the study's own last release; None where there is none."""
    unit = study.registry.units("publish", ["release"]).get("release")
    if unit is None or unit.state != "done" or not isinstance(unit.output, dict):
        return None
    found = unit.output.get("sha256")
    return found if isinstance(found, str) else None


def _is_untold(study: "Study", key: Any, sums: str, told: str | None) -> bool:
    """Tell whether a release may be one that its process was killed too early to tell of."""
    from lesionary.app.release import key_now

    events = [
        json.loads(event.details)
        for event in study.registry.events(of="release")
        if event.details is not None
    ]
    known = {one.get("sha256") for one in events if one.get("key") == key}
    if told is None and sums in known:
        return True
    return (not known or sums in known) and key == key_now(study)
