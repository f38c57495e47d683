"""The file meta information, made anew: nothing of it is taken from the file that was read.

Source: DICOM PS3.10 §7.1.
"""

import re
import struct
from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.ingest.deidentify.elements import DataSet, Element
from lesionary.io.dicom.elements import MAGIC, PREAMBLE_BYTES
from lesionary.io.dicom.tree_encoding import encoded

IMPLEMENTATION_CLASS_UID = "2.25.101022970468035190445905171780953430938"
IMPLEMENTATION_VERSION_NAME = "LESIONARY"

_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_UID_CHARACTERS = 64
_NAME_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What the file meta information says that the data set does not.

    Parameters
    ----------
    implementation_class_uid, implementation_version_name : str
        Of who wrote the file; the name has 16 characters at most.
    sop_class_uid, sop_instance_uid : str
        Used where the data set has none itself, as in a DICOMDIR.
    """

    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


def file_beginning(data_set: DataSet, syntax: str, meta: FileMeta) -> bytes:
    """Return a preamble of NUL and group 0002.

    Raises
    ------
    InputError
        ``sop_missing`` without UIDs of class and instance, or where these are no UIDs.
    """
    sop_class = _uid_of(data_set, _SOP_CLASS, meta.sop_class_uid)
    sop_instance = _uid_of(data_set, _SOP_INSTANCE, meta.sop_instance_uid)
    rest = b"".join(
        b"".join(encoded(Element(tag, vr, value)))
        for tag, vr, value in (
            (0x00020001, "OB", b"\0\1"),
            (0x00020002, "UI", sop_class),
            (0x00020003, "UI", sop_instance),
            (0x00020010, "UI", syntax.encode()),
            (0x00020012, "UI", meta.implementation_class_uid.encode()),
            (0x00020013, "SH", meta.implementation_version_name.encode()[:_NAME_CHARACTERS]),
        )
    )
    length = encoded(Element(0x00020000, "UL", struct.pack("<L", len(rest))))
    return b"".join((bytes(PREAMBLE_BYTES), MAGIC, *length, rest))


def _uid_of(data_set: DataSet, tag: int, fallback: str) -> bytes:
    element = data_set.get(tag)
    value = bytes(element.value) if element is not None else b""
    text = value.decode("latin-1").strip(" \0") or fallback
    if len(text) > _UID_CHARACTERS or _UID.fullmatch(text) is None:
        raise InputError(
            "the instance lacks the UID of its class or its own, or has one that is none",
            code="sop_missing",
            hint="export the file again from where it came",
        )
    return text.encode()
