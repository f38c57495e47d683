"""DICOM files: headers, pixels and series, read once and read fast."""
