"""Series of the archive come to disk: whole and checked, or named as failed; a rest goes on later.

A file is fetched beside its place and moved there once size and MD5 agree with the listing. So a
file that stands in its place is whole, whatever ended the run before. What was checked is noted in
a log, and is not read again as long as size and time of change are the same.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lesionary.core.errors import InputError, WorkflowError
from lesionary.io.durable import writing
from lesionary.io.idc.s5cmd import RemoteObject, S5cmd
from lesionary.io.lock import exclusive

STATE = ".idc-downloads.jsonl"
PARTIAL = ".idc-partial"
LOCK = ".idc-lock"
SERIES_A_BATCH = 16
_CHUNK = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One series to fetch.

    Parameters
    ----------
    series : str
        Its UID.
    s3_url : str
        ``s3://bucket/prefix/*``.
    folder : tuple of str
        Below the output: collection, patient, study, series.
    size_bytes, n_files : int, optional
        As the index has them.
    """

    series: str
    s3_url: str
    folder: tuple[str, ...]
    size_bytes: int | None = None
    n_files: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one series.

    Parameters
    ----------
    series : str
    n_files, n_fetched : int
        Files that stand whole, and those of them that came over the network this time.
    size_bytes : int
        Of the files that stand whole.
    error : str
        Why it is not whole; empty if it is.
    """

    series: str
    n_files: int
    n_fetched: int
    size_bytes: int
    error: str = ""


@dataclass(slots=True)
class _Known:
    """Files that were checked before: path to size, ETag and time of change."""

    path: Path
    entries: dict[str, tuple[int, str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "_Known":
        """Read the log; a line that a killed run left half-written counts for nothing."""
        known = cls(path)
        with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):
                    row = json.loads(line)
                    values = (int(row["size"]), str(row["etag"]), int(row["mtime_ns"]))
                    known.entries[str(row["path"])] = values
        return known

    def is_whole(self, path: Path, below: str, remote: RemoteObject) -> bool:
        """Tell whether a file is the object: as noted, else by its MD5."""
        try:
            state = path.stat()
        except OSError:
            return False
        if state.st_size != remote.size_bytes:
            return False
        if self.entries.get(below) == (state.st_size, remote.etag, state.st_mtime_ns):
            return True
        return remote.md5 is not None and _md5(path) == remote.md5

    def note(self, files: Iterable[tuple[Path, str, RemoteObject]]) -> None:
        """Write down files that are whole."""
        lines = []
        for path, below, remote in files:
            state = path.stat()
            row = {"path": below, "size": state.st_size, "etag": remote.etag}
            row["mtime_ns"] = state.st_mtime_ns
            if self.entries.get(below) != (state.st_size, remote.etag, state.st_mtime_ns):
                lines.append(json.dumps(row) + "\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * bool(lines) + "".join(lines))  # a half line before stays alone


def fetch(
    wanted: Sequence[Wanted],
    out: Path,
    tool: S5cmd,
    *,
    heard: Callable[[Fetched], None] = lambda _: None,
) -> list[Fetched]:
    """Fetch series into a folder; what stands there whole is not fetched again.

    Parameters
    ----------
    wanted : sequence of Wanted
    out : Path
        Made if it is not there.
    tool : S5cmd
    heard : callable
        Hears of every series as it ends.

    Returns
    -------
    list of Fetched
        One a series, in the order given.

    Raises
    ------
    WorkflowError
        Code ``not_writable`` where the disk refuses or has too little room; another code where
        another process fetches into the same folder.
    """
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    results = []
    with exclusive(out / LOCK), writing(out):
        known = _Known.read(out / STATE)
        partial = out / PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        try:
            for start in range(0, len(wanted), SERIES_A_BATCH):
                batch = wanted[start : start + SERIES_A_BATCH]
                partial.mkdir(exist_ok=True)
                for result in _fetch_batch(batch, out, tool, known):
                    results.append(result)
                    heard(result)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return results


def require_room(wanted: Sequence[Wanted], out: Path) -> None:
    """Raise where the disk has less room than the series' sizes ask for.

    What stands in the folder already counts as room.
    """
    needed = sum(one.size_bytes or 0 for one in wanted)
    there = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    held = sum(
        path.stat().st_size
        for one in wanted
        for path in (out.joinpath(*_folder(one)).glob("*") if out.is_dir() else ())
        if path.is_file()
    )
    free = shutil.disk_usage(there).free
    if needed - held > free:
        raise WorkflowError(
            f"{(needed - held) / 1e9:.1f} GB are to come, {free / 1e9:.1f} GB are free",
            code="not_writable",
            hint="free space, name another folder, or take fewer series",
        )


@dataclass(slots=True)
class _Plan:
    """What one series of a batch still lacks."""

    one: Wanted
    folder: Path
    objects: list[RemoteObject]
    whole: list[tuple[Path, str, RemoteObject]]
    missing: dict[str, tuple[RemoteObject, Path]]
    n_fetched: int = 0
    error: str = ""


def _fetch_batch(
    batch: Sequence[Wanted], out: Path, tool: S5cmd, known: _Known
) -> Iterator[Fetched]:
    listed, errors = tool.list([one.s3_url for one in batch])
    plans = [_plan(one, listed[one.s3_url], out, known) for one in batch]
    for plan in plans:
        plan.error = plan.error or errors.get(plan.one.s3_url, "")
    failed = tool.copy({u: path for plan in plans for u, (_, path) in plan.missing.items()})
    for plan in plans:
        _settle(plan, failed, out)
        known.note(plan.whole)
        size = sum(remote.size_bytes for _, _, remote in plan.whole)
        yield Fetched(plan.one.series, len(plan.whole), plan.n_fetched, size, plan.error)


def _plan(one: Wanted, objects: list[RemoteObject], out: Path, known: _Known) -> _Plan:
    parts = _folder(one)
    folder = out.joinpath(*parts)
    plan = _Plan(one, folder, objects, [], {})
    if one.n_files is not None and 0 < len(objects) < one.n_files:
        plan.error = f"the bucket holds {len(objects)} of {one.n_files} files"
    for remote in objects:
        name = _safe(remote.name)
        path, below = folder / name, "/".join((*parts, name))
        if known.is_whole(path, below, remote):
            plan.whole.append((path, below, remote))
        else:
            place = out / PARTIAL / f"{hashlib.sha256(remote.url.encode()).hexdigest()[:24]}.dcm"
            plan.missing[remote.url] = (remote, place)
    return plan


def _settle(plan: _Plan, failed: Mapping[str, str], out: Path) -> None:
    """Move what came whole to its place; say what did not."""
    problems = []
    for url, (remote, place) in plan.missing.items():
        problem = failed.get(url) or _fault_of(place, remote)
        if problem:
            place.unlink(missing_ok=True)
            problems.append(problem)
            continue
        plan.folder.mkdir(parents=True, exist_ok=True)
        path = plan.folder / _safe(remote.name)
        place.replace(path)
        plan.whole.append((path, path.relative_to(out).as_posix(), remote))
        plan.n_fetched += 1
    if problems:
        plan.error = f"{len(problems)} of {len(plan.objects)} files failed: {problems[0]}"


def _fault_of(path: Path, remote: RemoteObject) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        return "nothing came"
    if size != remote.size_bytes:
        return f"{size} of {remote.size_bytes} bytes came"
    if remote.md5 is not None and _md5(path) != remote.md5:
        return "the checksum is another than the server's"
    return ""


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _folder(one: Wanted) -> tuple[str, ...]:
    return tuple(_safe(part) for part in one.folder)


def _safe(part: str) -> str:
    """Return a name that is one folder or file and nothing else."""
    name = _UNSAFE.sub("_", part)
    if not name.strip("."):
        raise InputError("a name of the list is no folder's name", hint="mend the list of series")
    return name
