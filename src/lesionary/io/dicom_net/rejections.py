"""Why a sender was turned away, for whoever runs the receiver: a code, a reason, what to do.

The sender itself hears only what the standard has a number for, or a broken connection.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom.association import Association

TRANSIENT, PRESENTATION, LIMIT_EXCEEDED = 0x02, 0x03, 0x02
"""Result, source and diagnostic of a rejection for want of room."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an association, or a connection before it, came to nothing.

    Parameters
    ----------
    code, reason, hint : str
        Nothing in them is the sender's own.
    title : str
        The AE title that was not the right one, as it came: it may name a hospital or a person, so
        it is for the terminal of whoever runs the receiver, and never stored.
    """

    code: str
    reason: str
    hint: str
    title: str = ""


CALLED = Rejection(
    "called_title",
    "the sender calls another AE title than this receiver's",
    "set this receiver's AE title at the sender, or give --ae-title the name that it calls",
)
CALLING = Rejection(
    "calling_title",
    "the sender's AE title is not among those that may send",
    "if it may send, add its AE title with --allow",
)
BUSY = Rejection(
    "too_many",
    "as many senders as may come at once are there already",
    "the sender may try again; --max-associations takes more at once",
)
NO_CONTEXT = Rejection(
    "no_context",
    "nothing that the sender proposed is taken here",
    "objects (C-STORE) and C-ECHO are; queries, worklists, print and storage commitment are not",
)
NO_CERTIFICATE = Rejection(
    "no_certificate",
    "the sender showed no certificate",
    "give the sender a certificate of the authority that --tls-ca names",
)
FOREIGN_CERTIFICATE = Rejection(
    "foreign_certificate",
    "the sender's certificate is not trusted",
    "it must be valid today, and of the authority that --tls-ca names",
)
NOT_TRUSTED = Rejection(
    "own_certificate",
    "the sender does not trust this receiver's certificate",
    "give the sender the authority of --tls-cert; the certificate must be valid and of this host",
)
NO_TLS = Rejection(
    "no_tls",
    "the sender spoke no TLS",
    "switch TLS on at the sender, or listen without --tls-cert",
)
OLD_TLS = Rejection(
    "old_tls",
    "the sender and this receiver know no common version or cipher of TLS",
    "the sender must speak TLS 1.2 or newer",
)
TLS_UNWANTED = Rejection(
    "tls_unwanted",
    "the sender spoke TLS, and this receiver does not",
    "give --tls-cert and --tls-key, or switch TLS off at the sender",
)
NO_AGREEMENT = Rejection(
    "no_agreement",
    "the sender's request does not follow the standard",
    "see to the sender's own log",
)

_OF_DIAGNOSTICS: Mapping[tuple[int, int], Rejection] = MappingProxyType(
    {(0x01, 0x03): CALLING, (0x01, 0x07): CALLED, (PRESENTATION, LIMIT_EXCEEDED): BUSY}
)
"""By source and diagnostic of an A-ASSOCIATE-RJ, PS3.8 table 9-21."""

_OF_TLS_REASONS: Mapping[str, Rejection] = MappingProxyType(
    {
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": NO_CERTIFICATE,
        "CERTIFICATE_VERIFY_FAILED": FOREIGN_CERTIFICATE,
        "HTTP_REQUEST": NO_TLS,
        "WRONG_VERSION_NUMBER": NO_TLS,
        "UNKNOWN_PROTOCOL": NO_TLS,
        "UNSUPPORTED_PROTOCOL": OLD_TLS,
        "NO_SHARED_CIPHER": OLD_TLS,
    }
)
_BAD_ALERTS = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_")


def of_association(association: "Association") -> Rejection | None:
    """Return why an association was rejected, or why nothing can be sent on it; None if neither."""
    if association.is_rejected:
        return _of_answer(association)
    answered = association.acceptor.primitive is not None
    is_empty = answered and not association.accepted_contexts
    return NO_CONTEXT if is_empty else None


def _of_answer(association: "Association") -> Rejection:
    answer, request = association.acceptor.primitive, association.requestor.primitive
    if answer is None or request is None:
        return NO_AGREEMENT
    source, diagnostic = answer.result_source or 0, answer.diagnostic or 0
    found = _OF_DIAGNOSTICS.get((source, diagnostic), NO_AGREEMENT)
    if found is CALLED:
        return replace(found, title=(request.called_ae_title or "").strip())
    if found is CALLING:
        return replace(found, title=(request.calling_ae_title or "").strip())
    return found


def of_handshake(error: BaseException | None) -> Rejection | None:
    """Return why TLS was not agreed on; None where the peer only went away.

    Examples
    --------
    >>> of_handshake(TimeoutError()) is None
    True
    """
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
        return None
    reason = error.reason or ""
    if reason in _OF_TLS_REASONS:
        return _OF_TLS_REASONS[reason]
    if "ALERT" in reason and any(alert in reason for alert in _BAD_ALERTS):
        return NOT_TRUSTED
    if "ALERT_PROTOCOL_VERSION" in reason or "ALERT_HANDSHAKE_FAILURE" in reason:
        return OLD_TLS
    said = reason.lower().replace("_", " ") or "no reason given"
    return Rejection("tls_failed", f"TLS was not agreed on: {said}", "see to the sender's own log")
