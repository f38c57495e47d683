"""Where a receiver listens, to whom, and how much it takes."""

from dataclasses import dataclass

from lesionary.core.errors import InputError
from lesionary.io.dicom_net.tls import TlsSettings
from lesionary.io.limits import GIB, MIB

LOOPBACK = "127.0.0.1"
_LONGEST_TITLE = 16


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Where a receiver listens, and to whom.

    Parameters
    ----------
    port : int
        0 takes any free one.
    address : str
        Other machines reach it only where this is one of this machine's own.
    ae_title : str
        Senders must call it by this name.
    allowed_callers : tuple of str
        AE titles that may send; none means any.
    tls : TlsSettings, optional
    max_pdu_bytes : int
    most_associations : int
        At once; one more is turned away, and may come again.
    most_object_bytes : int
        A larger object ends its association.
    timeout_s : float
        After which a silent peer is dropped.
    """

    port: int = 11112
    address: str = LOOPBACK
    ae_title: str = "LESIONARY"
    allowed_callers: tuple[str, ...] = ()
    tls: TlsSettings | None = None
    max_pdu_bytes: int = 1 * MIB
    most_associations: int = 32
    most_object_bytes: int = 4 * GIB
    timeout_s: float = 60.0

    def require_titles(self) -> None:
        """Refuse AE titles that no sender could be set up with.

        Raises
        ------
        InputError
            Code ``ae_title``.
        """
        for title in (self.ae_title, *self.allowed_callers):
            is_text = title.isascii() and title.isprintable() and "\\" not in title
            if not is_text or not title.strip() or len(title) > _LONGEST_TITLE:
                raise InputError(
                    "an AE title has 1 to 16 printable ASCII characters and no backslash",
                    code="ae_title",
                    hint="--ae-title and --allow take the names that the sender is set up with",
                )
