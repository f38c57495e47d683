"""A whole DICOM instance, read into records and written from them.

:func:`read_instance` and :func:`write_instance` are the two ends of de-identification: between
them lies nothing but the records of :mod:`lesionary.ingest.deidentify.elements`.
"""

from lesionary.io.dicom.tree_meta import FileMeta
from lesionary.io.dicom.tree_reading import INFLATED_BYTES, read_instance
from lesionary.io.dicom.tree_writing import write_instance, written_syntax

__all__ = ["INFLATED_BYTES", "FileMeta", "read_instance", "write_instance", "written_syntax"]
