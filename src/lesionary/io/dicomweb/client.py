"""A DICOMweb client: which series there are, the objects of one, and storing others."""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Self
from urllib.parse import urlencode

from lesionary.core.errors import InputError, UnreadableSeriesError
from lesionary.io.dicomweb.http import Server, Session
from lesionary.io.dicomweb.multipart import MOST_PART_BYTES, boundary_of, parts, related
from lesionary.io.limits import MIB

_JSON = "application/dicom+json"
_DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_MOST_JSON_BYTES = 64 * MIB
_PAGE = 200
_UID = re.compile(r"[0-9.]{1,64}")
_STUDY_UID, _SERIES_UID, _SOP_UID = "0020000D", "0020000E", "00080018"
_STORED, _REFUSED = "00081199", "00081198"
_REFERENCED_SOP, _REASON = "00081155", "00081197"


@dataclass(frozen=True, slots=True, repr=False)
class RemoteSeries:
    """A series as the server names it: **original UIDs, never stored or shown**."""

    study_uid: str
    series_uid: str


@dataclass(frozen=True, slots=True)
class Stowed:
    """What a server did with the objects that it was given.

    Parameters
    ----------
    stored : frozenset of str
        SOP instance UIDs.
    refused : dict of str to int
        Failure reasons by SOP instance UID.
    """

    stored: frozenset[str]
    refused: Mapping[str, int]


def is_keyword(text: str) -> bool:
    """Tell whether a text is the keyword of a DICOM attribute, as a server is asked by.

    Examples
    --------
    >>> is_keyword("PatientID"), is_keyword("PatientId")
    (True, False)
    """
    from pydicom.datadict import tag_for_keyword

    return tag_for_keyword(text) is not None


class DicomWeb:
    """Speaks with one server; use as a context manager, in one thread.

    Parameters
    ----------
    server : Server
    session : Session, optional
        By default one of its own.
    """

    def __init__(self, server: Server, session: Session | None = None) -> None:
        self._session = session or Session(server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def series(self, query: Mapping[str, str]) -> Iterator[RemoteSeries]:
        """Search for series (QIDO-RS).

        Parameters
        ----------
        query : mapping of str to str
            Attributes by keyword, of study or series: ``PatientID``, ``StudyInstanceUID`` ….

        Raises
        ------
        InputError
            If the study is named by what is no UID.
        WorkflowError
            As :meth:`Session.ask`.
        UnreadableSeriesError
            Code ``dicomweb``, if the answer is none.
        """
        study = query.get("StudyInstanceUID")
        if study is not None and not _UID.fullmatch(study):
            raise InputError(
                "a StudyInstanceUID has digits and points only",
                code="usage",
                hint="--study takes one whole UID, and may be given several times",
            )
        path = f"/studies/{study}/series" if study else "/series"
        rest = {key: value for key, value in query.items() if key != "StudyInstanceUID"}
        for row in self._found(path, rest):
            yield RemoteSeries(study or _uid(row, _STUDY_UID), _uid(row, _SERIES_UID))

    def instances(self, series: RemoteSeries) -> list[str]:
        """Return the SOP instance UIDs of a series (QIDO-RS)."""
        path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances"
        return [_uid(row, _SOP_UID) for row in self._found(path, {})]

    def fetch(
        self,
        series: RemoteSeries,
        sop_uid: str,
        *,
        most_bytes: int = MOST_PART_BYTES,
    ) -> bytes:
        """Return one object as a file's bytes (WADO-RS), in the syntax that the server has it in.

        Raises
        ------
        UnreadableSeriesError
            Code ``dicomweb``, ``truncated`` or ``size_claim``.
        WorkflowError
            As :meth:`Session.ask`.
        """

        def read(answer: HTTPResponse) -> bytes:
            kind = answer.getheader("Content-Type", "")
            if not kind.lower().startswith("multipart/"):
                raise _no_answer("it sends no objects")
            found = list(parts(answer, boundary_of(kind), most_bytes=most_bytes))
            answer.read()
            if len(found) != 1:
                raise _no_answer(f"it sends {len(found)} objects in place of one")
            return found[0]

        path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{sop_uid}"
        return self._session.ask(path, read, accept=_DICOM)

    def store(self, objects: Sequence[Sequence[bytes | memoryview]]) -> Stowed:
        """Store objects (STOW-RS), each given as a file in pieces.

        Returns
        -------
        Stowed
            An object that the answer does not name is in neither: it may be sent again.

        Raises
        ------
        WorkflowError
            As :meth:`Session.ask`.
        """
        boundary = secrets.token_hex(16).encode()
        kind = f'multipart/related; type="application/dicom"; boundary={boundary.decode()}'
        answer = self._session.ask(
            "/studies", _read_json, accept=_JSON, body=related(objects, boundary), content_type=kind
        )
        document = answer if isinstance(answer, dict) else {}
        refused = {
            _uid(row, _REFERENCED_SOP): int(_value(row, _REASON) or 0)
            for row in _items(document, _REFUSED)
        }
        stored = (_uid(row, _REFERENCED_SOP) for row in _items(document, _STORED))
        return Stowed(frozenset(stored), refused)

    def _found(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield all rows of a search, page by page."""
        offset = 0
        seen: set[str] = set()
        while True:
            asked = {**query, "limit": str(_PAGE), "offset": str(offset)}
            rows = self._session.ask(f"{path}?{urlencode(asked)}", _read_json, accept=_JSON)
            if not isinstance(rows, list):
                raise _no_answer("a search gives no list")
            new = [row for row in rows if isinstance(row, dict) and _key(row) not in seen]
            seen.update(map(_key, new))
            yield from new
            if not new or len(rows) < _PAGE:
                return
            offset += len(rows)


def _read_json(answer: HTTPResponse) -> Any:
    text = answer.read(_MOST_JSON_BYTES + 1)
    if not text:
        return []
    if len(text) > _MOST_JSON_BYTES:
        raise _no_answer("it never ends")
    try:
        return json.loads(text)
    except ValueError:
        raise _no_answer("it is no JSON") from None


def _key(row: Mapping[str, Any]) -> str:
    uids = (_value(row, tag) for tag in (_STUDY_UID, _SERIES_UID, _SOP_UID))
    return "\0".join(str(uid or "") for uid in uids)


def _items(document: Mapping[str, Any], tag: str) -> list[dict[str, Any]]:
    element = document.get(tag)
    items = element.get("Value") if isinstance(element, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _value(row: Mapping[str, Any], tag: str) -> Any:
    element = row.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _uid(row: Mapping[str, Any], tag: str) -> str:
    """Return a UID that may stand in a path; anything else could lead elsewhere on the server."""
    value = _value(row, tag)
    if not isinstance(value, str) or not _UID.fullmatch(value):
        raise _no_answer("a row lacks its UID")
    return value


def _no_answer(problem: str) -> UnreadableSeriesError:
    return UnreadableSeriesError(
        f"the DICOMweb server's answer is none: {problem}",
        code="dicomweb",
        hint="is the address that of its DICOMweb service?",
    )
