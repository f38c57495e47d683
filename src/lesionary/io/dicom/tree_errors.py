"""What is refused while a data set is read, by code of the gate's table."""

from lesionary.core.errors import UnreadableSeriesError
from lesionary.ingest.deidentify.elements import Buffer

_EXPORT = "export the file again from where it came"
_NO_SCANNER = "no scanner writes this: export the file again"


def not_dicom(reason: str) -> UnreadableSeriesError:
    """Return the error for bytes that are no data set."""
    return UnreadableSeriesError(reason, code="not_dicom", hint=_EXPORT)


def truncated(reason: str) -> UnreadableSeriesError:
    """Return the error for a file that stops too early."""
    return UnreadableSeriesError(
        reason, code="truncated", hint="copy the file again from where it came"
    )


def too_deep(nesting: int) -> UnreadableSeriesError:
    """Return the error for more levels of sequences than are allowed."""
    return UnreadableSeriesError(
        f"sequences are nested {nesting} levels deep or more: these are too many",
        code="too_deep",
        hint=_NO_SCANNER,
    )


def over_limit(what: str, code: str) -> UnreadableSeriesError:
    """Return the error for a file that asks for more than it may have."""
    return UnreadableSeriesError(what, code=code, hint=_NO_SCANNER)


def cut(buffer: Buffer, bound: int, end: int | None = None) -> UnreadableSeriesError:
    """Return the error for what ends too late: for its file, or only for its sequence.

    Parameters
    ----------
    buffer : bytes-like
        The whole file.
    bound : int
        Where it should have ended at the latest.
    end : int, optional
        Where it claims to end.
    """
    size = len(buffer)
    if bound == size or (end is not None and end > size):
        return truncated("the file stops within an element")
    return not_dicom("the header is broken: an element does not fit into its sequence")
