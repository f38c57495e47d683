"""Data sets whose every element that may tell who somebody is holds one and the same token."""

from pydicom.dataset import FileDataset

TOKEN = "ZQXPLANTED"  # noqa: S105 - no password


def identified(slices: list[FileDataset], patient: str = "1") -> list[FileDataset]:
    """Write the token into data sets, and return them."""
    for ds in slices:
        ds.PatientName, ds.PatientID = f"{TOKEN}^Maria", f"{TOKEN}-{patient}"
        ds.InstitutionName = ds.ReferringPhysicianName = f"{TOKEN} Hospital"
        ds.AccessionNumber = TOKEN
        ds.StudyDescription = f"thorax of {TOKEN}"
        ds.add_new(0x00091010, "LO", TOKEN)
    return slices
