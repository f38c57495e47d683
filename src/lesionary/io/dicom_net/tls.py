"""TLS for both ends: certificates that only their owner may read, nothing older than TLS 1.2."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from lesionary.core.errors import InputError


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """A receiver's certificate, and whose senders' certificates it trusts.

    Parameters
    ----------
    certificate, key : Path
        PEM files.
    authority : Path, optional
        PEM file of the authority that signed the senders' certificates; a sender without one is
        turned away. Without it any sender may come.
    """

    certificate: Path
    key: Path
    authority: Path | None = None

    def server_context(self) -> ssl.SSLContext:
        """Return what a server's sockets are wrapped with.

        Raises
        ------
        InputError
            Code ``tls``, if a file cannot be read or the key is another certificate's.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
            if self.authority is not None:
                context.load_verify_locations(self.authority)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:  # SSLError is one
            raise InputError(
                f"the certificate, its key or the authority cannot be used: {_reason(error)}",
                code="tls",
                hint="PEM files; the key without password, and of this certificate",
            ) from None
        return context


def _no_password() -> str:
    """Never ask on the terminal: a server starts unattended."""
    return ""


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a PEM file").lower().replace("_", " ")
    return error.strerror or type(error).__name__
