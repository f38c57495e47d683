"""The recist layout (R11), as its authors publish it: where files go, and what the tables say.

``images/<region>/<subset>/{images,masks,labels}/<patient>_<SeriesInstanceUID>.{nii.gz,json}``, with
tables under ``metadata/`` and ``recist_measurements.csv``. Names and texts are made here; ``io``
writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lesionary.core.volume import Geometry
from lesionary.publish.tables import csv_text, json_text

PATIENT_COLUMNS = (
    "patient_id",
    "subset",
    "first_study_date",
    "sex",
    "age",
    "diagnosis",
    "histology",
    "health_insurance",
)
RECIST_COLUMNS = (
    "patient_id",
    "subset",
    "study_date",
    "study_uuid",
    "uuid",
    "filename",
    "region",
    "final_3d_objects",
    "lesion_label_value",
    "lesion_label_alias",
    "recist_measurement_mm",
    "study_order",
)
SUBSET_NAMES = {"train": "training", "test": "test"}
"""Folder of a subset, and its word in ``patients.csv``."""


@dataclass(frozen=True, slots=True)
class LayoutImage:
    """One published image.

    Parameters
    ----------
    number : int
        The series' running number.
    patient_id : str
        Released ID, at least three digits.
    series_uid, study_uid : str
        Released UIDs.
    study_date : str, optional
        Shifted, ISO.
    region : str
        ``thorax``, ``abdomen``, ``thorax_abdomen`` or ``other``.
    subset : str
        ``train`` or ``test``.
    window : str
        Name of the window it is shown in.
    geometry : Geometry
        Of image and mask.
    slice_thickness_mm : float, optional
        As acquired; None where the scan did not say.
    labels : mapping of value to text, as a tuple of pairs
        One value a lesion instance.
    sex : str, optional
    age : int, optional
        In years, at most 90.
    """

    number: int
    patient_id: str
    series_uid: str
    study_uid: str
    study_date: str | None
    region: str
    subset: str
    window: str
    geometry: Geometry
    slice_thickness_mm: float | None
    labels: tuple[tuple[int, str], ...]
    sex: str | None = None
    age: int | None = None

    @property
    def base_name(self) -> str:
        """What image, mask and labels share."""
        return f"{self.patient_id}_{self.series_uid}"

    def path(self, part: str, ending: str) -> str:
        """Return the path of the image's ``images``, ``masks`` or ``labels`` file."""
        return f"images/{self.region}/{self.subset}/{part}/{self.base_name}{ending}"

    @property
    def image_path(self) -> str:
        """Where the image goes."""
        return self.path("images", ".nii.gz")

    @property
    def mask_path(self) -> str:
        """Where the mask goes."""
        return self.path("masks", ".nii.gz")

    @property
    def labels_path(self) -> str:
        """Where the texts of the mask's values go."""
        return self.path("labels", ".json")


def patient_id_of(number: int) -> str:
    """Return a released ID: the vault's number or the running one, at least three digits."""
    return f"{number:03d}"


def layout_texts(images: Sequence[LayoutImage]) -> dict[str, str]:
    """Return every text file of the layout, by path."""
    texts = {image.labels_path: _labels_text(image) for image in images}
    texts["metadata/patients.csv"] = csv_text(PATIENT_COLUMNS, _patients(images))
    texts["metadata/series.json"] = json_text([_series(image) for image in images])
    texts["metadata/windows_mapping.json"] = json_text(
        {f"{image.base_name}.nii.gz": image.window for image in images}
    )
    texts["recist_measurements.csv"] = csv_text(RECIST_COLUMNS, ())
    return texts


def _labels_text(image: LayoutImage) -> str:
    return json_text({str(value): text for value, text in image.labels})


def _patients(images: Iterable[LayoutImage]) -> list[dict[str, object]]:
    by_patient: dict[str, list[LayoutImage]] = {}
    for image in images:
        by_patient.setdefault(image.patient_id, []).append(image)
    return [
        {
            "patient_id": patient_id,
            "subset": SUBSET_NAMES[own[0].subset],
            "first_study_date": min(
                (_compact(image.study_date) for image in own if image.study_date), default=None
            ),
            "sex": own[0].sex,
            "age": own[0].age,
        }
        for patient_id, own in sorted(by_patient.items())
    ]


def _series(image: LayoutImage) -> dict[str, object]:
    superior = image.geometry.superior_axis
    first, second = (axis for axis in range(3) if axis != superior)
    spacing, shape = image.geometry.spacing_mm, image.geometry.shape
    return {
        "id": image.number,
        "region": image.region,
        "uuid": image.series_uid,
        "study_uuid": image.study_uid,
        "study_date": _compact(image.study_date) if image.study_date else None,
        "patient_id": image.patient_id,
        "slice_thickness": image.slice_thickness_mm,
        "row_spacing": spacing[first],
        "column_spacing": spacing[second],
        "slice_spacing": spacing[superior],
        "slices": shape[superior],
        "rows": shape[first],
        "columns": shape[second],
    }


def _compact(date: str) -> str:
    return date.replace("-", "")
