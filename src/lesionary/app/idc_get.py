"""Series of the Imaging Data Commons from the public bucket: those of a list, or of a protocol."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.idc import find_series
from lesionary.app.progress import Progress, Silent
from lesionary.core.errors import InputError
from lesionary.io.idc.downloads import Fetched, Wanted, fetch, require_room
from lesionary.io.idc.s5cmd import find_s5cmd

STAGE = "idc get"
_NEEDED = ("series_uid", "s3_url")


@dataclass(frozen=True, slots=True)
class GetReport:
    """What came, and what did not."""

    results: tuple[Fetched, ...]

    @property
    def failed(self) -> tuple[Fetched, ...]:
        """Series that are not whole."""
        return tuple(one for one in self.results if one.error)

    def document(self) -> dict[str, Any]:
        """Return the whole as JSON."""
        return {
            "done": len(self.results) - len(self.failed),
            "files": sum(one.n_files for one in self.results),
            "fetched": sum(one.n_fetched for one in self.results),
            "size_bytes": sum(one.size_bytes for one in self.results),
            "failed": [
                {"unit": one.series, "code": "download", "reason": one.error} for one in self.failed
            ],
        }


def get_series(
    what: str,
    out: Path,
    *,
    index: Path | None = None,
    endpoint_url: str | None = None,
    progress: Progress | None = None,
) -> GetReport:
    """Fetch the series of a protocol or of a list from the public bucket; run it again to go on.

    Parameters
    ----------
    what : str
        A protocol, or a CSV as ``find`` writes it.
    out : Path
        Gets ``collection/patient/study/series/``.
    index : Path, optional
        As for :func:`find_series`.
    endpoint_url : str, optional
        Another S3-compatible server.
    progress : Progress, optional

    Raises
    ------
    InputError
        If there is nothing to fetch, or the list cannot be used.
    WorkflowError
        If the disk has too little room.
    PluginUnavailableError
        If the extra ``idc`` is not installed.
    """
    tool = find_s5cmd(endpoint_url)
    wanted = _wanted(_rows_of(what, index), what)
    if out.exists() and not out.is_dir():
        raise InputError(
            "a folder is needed, and this is a file",
            code="usage",
            source=str(out),
            hint="name a folder: it is made if it is not there",
        )
    require_room(wanted, out)
    shown = progress or Silent()
    shown.start(STAGE, len(wanted))
    results = fetch(
        wanted,
        out,
        tool,
        heard=lambda one: shown.advance(STAGE, failed=int(bool(one.error))),
    )
    shown.finish(STAGE)
    return GetReport(tuple(results))


def _rows_of(what: str, index: Path | None) -> list[dict[str, Any]]:
    if Path(what).suffix.lower() != ".csv":
        if Path(what).is_file() and Path(what).suffix != ".toml":
            raise InputError(
                "neither a list nor a protocol",
                source=what,
                hint="a list's name ends in .csv, a protocol's in .toml",
            )
        return find_series(what, index=index).rows()
    if not Path(what).exists():
        raise InputError(
            "there is no such list", source=what, hint="write it with `idc find --csv`"
        )
    try:
        with Path(what).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise InputError(
            "the list cannot be read", source=what, hint="write it with `idc find --csv`"
        ) from None
    lacking = [name for name in _NEEDED if rows and name not in rows[0]]
    if lacking:
        raise InputError(
            f"the list lacks {', '.join(lacking)}",
            source=what,
            hint="write it with `idc find --csv`",
        )
    return rows


def _wanted(rows: Sequence[dict[str, Any]], what: str) -> list[Wanted]:
    if not rows:
        raise InputError(
            "there is no series to fetch",
            source=what,
            hint="`lesionary idc find PROTOCOL` shows how many each rule leaves",
        )
    wanted: dict[str, Wanted] = {}
    for line, row in enumerate(rows, start=2):
        series, url = str(row["series_uid"] or ""), str(row["s3_url"] or "")
        if not series or not url.startswith("s3://") or not url.endswith("/*") or '"' in url:
            raise InputError(
                f"line {line} of the list names no series with an address s3://bucket/folder/*",
                source=what,
                hint="write it with `idc find --csv`",
            )
        parts = (row.get("collection"), row.get("patient_id"), row.get("study_uid"), series)
        folder = tuple(str(part) for part in parts if part)
        size, n_files = _whole(row.get("size_bytes")), _whole(row.get("n_files"))
        wanted[series] = Wanted(series, url, folder, size, n_files)
    return list(wanted.values())


def _whole(value: object) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() else None
