"""How much an archive may still unpack: counted while it streams, whatever its headers declare."""

from lesionary.core.errors import InputError
from lesionary.io.limits import Limits, in_words


class ArchiveLimitError(InputError):
    """An archive unpacks to more than its limits allow."""

    code = "archive_limit"


BLOCK_BYTES = 4096
"""What even an empty file costs."""

MOST_MEMBERS = 1_000_000
"""Files of one archive, empty ones too: each takes some 700 bytes of memory."""


class Budget:
    """Bytes that one archive, with all archives inside it, may still unpack.

    Parameters
    ----------
    limits : Limits
        ``archive_ratio``, ``archive_ratio_from_bytes`` and ``archive_bytes``.
    packed_bytes : int
        Size of the outermost archive.
    """

    def __init__(self, limits: Limits, packed_bytes: int) -> None:
        self._limits = limits
        self._packed_bytes = max(packed_bytes, 1)
        self._spent = 0
        self._n_members = 0

    def renewed(self) -> "Budget":
        """Return the same bounds with nothing spent."""
        return Budget(self._limits, self._packed_bytes)

    def spend_member(self) -> None:
        """Count a file about to be made, as :meth:`spend` counts bytes."""
        self._n_members += 1
        if self._n_members > MOST_MEMBERS:
            raise ArchiveLimitError(
                f"the archive holds more than {MOST_MEMBERS} files",
                hint="unpack it yourself and give the folder",
            )
        self.spend(BLOCK_BYTES)

    def spend(self, n_bytes: int) -> None:
        """Count ``n_bytes`` about to be written.

        Raises
        ------
        ArchiveLimitError
            If they pass a limit; they are not to be written then.
        """
        limits = self._limits
        spent = self._spent + n_bytes
        if spent > limits.archive_bytes:
            raise ArchiveLimitError(
                f"the archive unpacks to more than {in_words(limits.archive_bytes)}",
                hint="raise the limit, or unpack it yourself and give the folder",
            )
        ratio = spent / self._packed_bytes
        if spent > limits.archive_ratio_from_bytes and ratio > limits.archive_ratio:
            raise ArchiveLimitError(
                f"the archive unpacks to more than {limits.archive_ratio:g} times its size "
                f"({in_words(spent)} from {in_words(self._packed_bytes)})",
                hint="raise the limit, or unpack it yourself and give the folder",
            )
        self._spent = spent
