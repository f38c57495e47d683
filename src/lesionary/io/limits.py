"""How much an input may ask of this machine before it is refused."""

from dataclasses import dataclass, replace

from lesionary.core.errors import InputError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
_EIB = GIB**2


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read; every one is an option of the command line.

    Parameters
    ----------
    archive_ratio : float
        Unpacked to packed bytes of one archive, looked at from ``archive_ratio_from_bytes`` on:
        a few kilobytes of zeros compress further than any bomb, and harm nobody.
    archive_ratio_from_bytes : int
        Unpacked bytes from which the ratio counts.
    archive_bytes : int
        Unpacked bytes of one archive in all, with the archives inside it.
    nesting : int
        Levels of DICOM sequences, and of archives inside archives.
    volume_bytes : int
        Bytes of one volume, as its header claims them.
    """

    archive_ratio: float = 200.0
    archive_ratio_from_bytes: int = 1 * GIB
    archive_bytes: int = 64 * GIB
    nesting: int = 64
    volume_bytes: int = 4 * GIB

    def with_changes(self, **changes: float | None) -> "Limits":
        """Return these bounds with those changed that are not None.

        Raises
        ------
        InputError
            If a bound is not above 0.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        for name, value in given.items():
            if value <= 0:
                raise InputError(f"the limit {name} is above 0, not {value}", code="usage")
        return replace(self, **given)  # type: ignore[arg-type]  # names and types are the fields'


def in_words(n_bytes: int) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> in_words(1536), in_words(4 * GIB)
    ('1.5 KiB', '4 GiB')
    """
    if n_bytes >= _EIB:
        return "over 1 EiB"
    for size, unit in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if n_bytes >= size:
            return f"{n_bytes / size:.3g} {unit}"
    return f"{n_bytes} bytes"
