"""What a file is, by its first bytes: names lie, and half of all DICOM files have no ending."""

import io
import re
import struct
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from lesionary.core.errors import UnreadableSeriesError
from lesionary.io.gzip_stream import BZIP2, GZIP, XZ, Compression, InflatedStream
from lesionary.io.opening import opened

HEAD_BYTES = 1024
_TAR_BLOCK = 512


class FileKind(StrEnum):
    """What a file holds, as far as reading it is concerned."""

    DICOM = "dicom"
    NIFTI = "nifti"
    NRRD = "nrrd"
    METAIMAGE = "metaimage"
    TABLE = "table"
    JSON = "json"
    ZIP = "zip"
    TAR = "tar"
    CLUTTER = "clutter"
    FOREIGN_ARCHIVE = "foreign_archive"
    NOISE = "noise"

    @property
    def is_image_file(self) -> bool:
        """Whether :func:`lesionary.io.image_file.read_image_file` reads it."""
        return self in {FileKind.NIFTI, FileKind.NRRD, FileKind.METAIMAGE}

    @property
    def is_archive(self) -> bool:
        """Whether it is unpacked."""
        return self in {FileKind.ZIP, FileKind.TAR}


_VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN "
    b"UR US UT UV".split()
)
_FIRST_GROUPS = (2, 8)
_DICOMDIR_CLASS = b"1.2.840.10008.1.3.10"
_LONGEST_FIRST_VALUE = 4096

_COMPRESSIONS = (GZIP, XZ, BZIP2)
_IMAGE_NAME = re.compile(r"\.(dcm|dicom|ima|nii|nii\.gz|nrrd|nhdr|mha|mhd|zip|tar|tgz|txz|tbz2)$")
_DOCUMENT_NAME = re.compile(r"\.(docx|xlsx|pptx|odt|ods|odp|jar|apk|whl|npz|mrb|epub)$")
_CLUTTER_NAME = re.compile(
    r"dicomdir|thumbs\.db|desktop\.ini|(licen[sc]e|copying|readme)(\.(txt|md|rst|html?|pdf))?"
)
_METAIMAGE = re.compile(rb"(ObjectType|NDims)[ \t]*=")
_CLUTTER_MAGICS = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\x7fELF", b"MZ",
    b"{\\rtf", b"\xd0\xcf\x11\xe0", b"SQLite format 3", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe",
    b"HEADER RECORD*******LIBRARY HEADER RECORD",
)  # fmt: skip
_FOREIGN_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd")


def kind_of(path: Path, name: str | None = None) -> FileKind:
    """Tell what a file holds.

    Parameters
    ----------
    path : Path
        A regular file.
    name : str, optional
        What it was called, where ``path`` is a copy under another name.

    Returns
    -------
    FileKind
        ``NOISE`` for bytes that mean nothing here, and for text that calls itself an image.

    Raises
    ------
    UnreadableSeriesError
        ``empty_file``, ``not_a_file`` or ``unreadable``.
    """
    called = (name or path.name).replace("\\", "/").rpartition("/")[2].lower()
    if _CLUTTER_NAME.fullmatch(called):
        return FileKind.CLUTTER
    with opened(path) as file:
        head = file.read(HEAD_BYTES)
        kind = _kind_of_bytes(head)
        compression = next((c for c in _COMPRESSIONS if head.startswith(c.magic)), None)
        if kind is None and compression is not None:
            file.seek(0)
            kind = _kind_inside(file, compression, called)
    if kind is FileKind.ZIP and _DOCUMENT_NAME.search(called):
        return FileKind.CLUTTER
    return kind or _kind_of_text(head, called)


def _kind_of_bytes(head: bytes) -> FileKind | None:
    tests: tuple[tuple[FileKind, Callable[[bytes], bool]], ...] = (
        (FileKind.CLUTTER, lambda head: _is_dicom(head) and _DICOMDIR_CLASS in head),
        (FileKind.DICOM, _is_dicom),
        (FileKind.NIFTI, _is_nifti),
        (FileKind.NRRD, lambda head: head.startswith(b"NRRD000")),
        (FileKind.METAIMAGE, lambda head: bool(_METAIMAGE.match(head))),
        (FileKind.ZIP, lambda head: head.startswith((b"PK\x03\x04", b"PK\x05\x06"))),
        (FileKind.TAR, _is_tar),
        (FileKind.FOREIGN_ARCHIVE, lambda head: head.startswith(_FOREIGN_ARCHIVES)),
    )
    return next((kind for kind, holds in tests if holds(head)), None)


def _kind_inside(file: io.BufferedReader, compression: Compression, called: str) -> FileKind:
    stream = io.BufferedReader(InflatedStream(file, compression))
    try:
        head = stream.read(HEAD_BYTES)
    except UnreadableSeriesError:
        # Cut or damaged from the start: the reader its name asks for says what is wrong with it.
        return _kind_of_name(called)
    if _is_nifti(head) and compression is GZIP:
        return FileKind.NIFTI
    return FileKind.TAR if _is_tar(head) else FileKind.NOISE


def _kind_of_name(called: str) -> FileKind:
    if called.endswith(".nii.gz"):
        return FileKind.NIFTI
    is_tar = called.endswith((".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"))
    return FileKind.TAR if is_tar else FileKind.NOISE


def _kind_of_text(head: bytes, called: str) -> FileKind:
    if _IMAGE_NAME.search(called):
        return FileKind.NOISE
    if head.startswith(_CLUTTER_MAGICS):
        return FileKind.CLUTTER
    if not _is_text(head):
        return FileKind.NOISE
    if called.endswith(".json"):
        return FileKind.JSON
    return FileKind.TABLE if called.endswith((".csv", ".tsv")) else FileKind.CLUTTER


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, as Windows' editors save it
        return True
    return not any(byte < 9 or 13 < byte < 27 for byte in head)


def _is_dicom(head: bytes) -> bool:
    return head[128:132] == b"DICM" or _begins_with_element(head)


def _begins_with_element(head: bytes) -> bool:
    """Tell if a data set without preamble starts here: group 2 or 8, and a plausible length."""
    if len(head) < 8:
        return False
    for order in "<>":
        group, element = struct.unpack_from(order + "HH", head)
        if group not in _FIRST_GROUPS or element > 0x1000:
            continue
        if head[4:6] in _VRS:
            return True
        (length,) = struct.unpack_from(order + "I", head, 4)
        if order == "<" and length <= _LONGEST_FIRST_VALUE and length % 2 == 0:
            return True
    return False


def _is_nifti(head: bytes) -> bool:
    if len(head) < 4:
        return False
    sizes = {struct.unpack_from(order + "i", head)[0] for order in "<>"}
    return (348 in sizes and head[344:347] in {b"n+1", b"ni1"}) or (
        540 in sizes and head[4:7] in {b"n+2", b"ni2"}
    )


def _is_tar(head: bytes) -> bool:
    """Tell if a tar header with a right checksum is here; old archives have no magic."""
    if len(head) < _TAR_BLOCK or not head[0]:
        return False
    field = head[148:156].strip(b" \0")
    if not re.fullmatch(rb"[0-7]{1,7}", field):
        return False
    expected = sum(head[:148]) + 8 * ord(" ") + sum(head[156:_TAR_BLOCK])
    return int(field, 8) == expected
