"""``pull``: fetch objects from a DICOMweb server, such as Orthanc, through the door into a study.

They come one by one into memory; only what the door releases is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lesionary.app.progress import Progress, Silent
from lesionary.app.reception import FAILED, Reception, Tally
from lesionary.core.errors import UnreadableSeriesError, WorkflowError

if TYPE_CHECKING:
    from lesionary.io.dicomweb.client import RemoteSeries
    from lesionary.io.dicomweb.http import Server

STAGE = "pull"

_WAY = "DICOMweb"
_ALONE = 1
_SERVER_FAILS = frozenset({"dicomweb_failed"})


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled.

    Parameters
    ----------
    tally : Tally
    n_series : int
        Series that the search found.
    n_unfetched : int
        Objects that the server named and did not hand over whole.
    """

    tally: Tally
    n_series: int
    n_unfetched: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"series": self.n_series, "unfetched": self.n_unfetched, **self.tally.document()}


def pull(
    reception: Reception,
    server: "Server",
    query: Mapping[str, str],
    *,
    progress: Progress | None = None,
) -> Pulled:
    """Fetch all objects of the series that a search finds.

    Parameters
    ----------
    reception : Reception
    server : Server
    query : mapping of str to str
        DICOM attributes by keyword; never logged.
    progress : Progress, optional

    Raises
    ------
    WorkflowError
        If the server cannot be reached, or refuses; or if the disk is full: what came before
        stays, and the same command goes on from there.
    """
    from lesionary.io.dicomweb.client import DicomWeb

    shown = progress or Silent()
    tally = Tally()
    n_unfetched = 0
    ending = "aborted"
    with DicomWeb(server) as client:
        try:
            found = list(client.series(query))
            shown.start(STAGE, len(found))
            for series in found:
                n_unfetched += _pull_series(client, series, reception, tally)
                shown.advance(STAGE)
            shown.finish(STAGE)
            ending = "released"
        finally:
            reception.end(tally, _ALONE, ending, _WAY)
    return Pulled(tally, len(found), n_unfetched)


def _pull_series(client: Any, series: "RemoteSeries", reception: Reception, tally: Tally) -> int:
    """Fetch a series; return how many objects did not come whole."""
    n_unfetched = 0
    for sop_uid in client.instances(series):
        try:
            content = client.fetch(series, sop_uid)
        except UnreadableSeriesError:
            n_unfetched += 1
            continue
        except WorkflowError as error:
            if error.code not in _SERVER_FAILS:
                raise
            n_unfetched += 1
            continue
        received = reception.take(content, tally, _ALONE)
        if received.outcome == FAILED and received.code == "not_writable":
            raise WorkflowError(received.reason, code=received.code, hint="free space, then again")
    return n_unfetched
