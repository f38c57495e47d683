"""Images by what a ``boxes.csv`` calls them, and what is wrong where it names none or several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lesionary.app.intake.images import Admitted
from lesionary.app.intake.left_out_images import WAYS
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.pseudonym import Pseudonymiser
from lesionary.ingest.series import SeriesSummary
from lesionary.ingest.sidecars import BoxRow


@dataclass(frozen=True, slots=True)
class NamedImages:
    """Images by what a ``boxes.csv`` may call them.

    Parameters
    ----------
    admitted : sequence of Admitted
        Of this ingest: by file, DICOM folder (or the end of its path), or SeriesInstanceUID.
    known : mapping of str to SeriesSummary
        Of the study, by keyed UID.
    ids : mapping of str to str
        Keyed UIDs by the study's own names, such as ``ser-0003``.
    """

    admitted: Sequence[Admitted]
    known: Mapping[str, SeriesSummary]
    ids: Mapping[str, str]
    pseudonyms: Pseudonymiser

    def of(self, name: str) -> list[SeriesSummary]:
        """Return the images that go by a name: those of the most exact way that fits any."""
        key = self.ids.get(name, self.pseudonyms.uid(name))
        for way in WAYS:
            images = [
                image
                for image in self.admitted
                if way(image.names, image.summary.identity.folder, name)
            ]
            if images:
                return list({image.key: image.summary for image in images}.values())
        return [self.known[key]] if key in self.known else []


_NAME_HINT = "name images by file, DICOM folder, SeriesInstanceUID, or as status does: ser-0001"


def box_problem(found: Sequence[SeriesSummary], row: BoxRow) -> Finding | None:
    """Return why a box cannot be laid on the images that go by its name; None where it can."""
    if not found:
        reason = "no image goes by this name"
        return _bad_box(row.line, reason, _NAME_HINT, code="orphan_reference")
    if len(found) > 1:
        reason = f"{len(found)} images go by this name"
        return _bad_box(row.line, reason, _NAME_HINT, code="ambiguous_reference")
    shape = found[0].geometry.shape
    if row.fits(shape):
        return None
    size = " × ".join(str(n) for n in reversed(shape))
    reason = "the box reaches beyond its image"
    return _bad_box(row.line, reason, f"it has i × j × k = {size} voxels")


def _bad_box(line: int, reason: str, hint: str, *, code: str = "bad_box") -> Finding:
    return Finding(code, Outcome.LEFT_OUT, f"line {line}: {reason}", hint)
