"""``lesionary listen``: a DICOM receiver into a study."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lesionary.cli.output import DONE, PARTLY, Output, counted, log_failures
from lesionary.cli.own_words import require_words

if TYPE_CHECKING:
    from lesionary.app.listen import Listened
    from lesionary.app.reception import Tally
    from lesionary.app.study import Study
    from lesionary.io.dicom_net.rejections import Rejection
    from lesionary.io.dicom_net.settings import ReceiverSettings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(listen)


def listen(
    study: Path = typer.Argument(..., help="The study folder."),
    port: int = typer.Option(11112, min=0, max=65535, help="TCP port; 0 takes a free one."),
    address: str = typer.Option("127.0.0.1", help="Address of this machine to listen on."),
    ae_title: str = typer.Option("LESIONARY", help="The name that senders must call it by."),
    allow: list[str] = typer.Option([], help="An AE title that may send; default: any."),
    tls_cert: Path = typer.Option(None, help="Certificate, PEM: then only TLS is spoken."),
    tls_key: Path = typer.Option(None, help="The certificate's key, PEM."),
    tls_ca: Path = typer.Option(None, help="Authority whose certificates senders must have, PEM."),
    forward: str | None = typer.Option(
        None, help="DICOMweb URL that de-identified objects go on to."
    ),
    forward_ca: Path | None = typer.Option(
        None, help="Authority of that server's certificate, PEM."
    ),
    keep_quarantined: bool = typer.Option(
        False, "--keep-quarantined", help="Keep what is not released, encrypted beside the vault."
    ),
    vault: str = typer.Option(None, help="URL of the vault's database, or its folder."),
    word: list[str] = typer.Option([], help="A word of your own that texts may keep."),
    once: bool = typer.Option(False, "--once", help="End after the first association."),
    idle_s: float = typer.Option(None, min=0.0, help="End after so many seconds without a sender."),
    max_associations: int = typer.Option(32, min=1, help="At once; one more is turned away."),
    timeout_s: float = typer.Option(60.0, min=1.0, help="After which a silent sender is dropped."),
    *,
    json: bool = typer.Option(False, "--json", help="Print one JSON document at the end."),
) -> int:
    """Receive DICOM (C-STORE, C-ECHO), de-identify it in memory, store it in a study."""
    from lesionary.app.listen import Until
    from lesionary.app.listen import listen as run
    from lesionary.app.study import Study
    from lesionary.io.dicom_net.settings import ReceiverSettings

    require_words(word)
    if forward is None and forward_ca is not None:
        raise _no_forward()
    settings = ReceiverSettings(
        port=port,
        address=address,
        ae_title=ae_title,
        allowed_callers=tuple(allow),
        tls=_tls(tls_cert, tls_key, tls_ca),
        most_associations=max_associations,
        timeout_s=timeout_s,
    )
    output = Output(json)
    with ExitStack() as stack:
        stop = stack.enter_context(_stopping())
        opened = Study.open(study)
        reception, forwarder = _reception(
            stack, opened, (vault, word), (forward, forward_ca), output, is_keeping=keep_quarantined
        )
        _warn(output, settings)
        done = run(
            reception, settings, until=Until(once, idle_s), stop=stop, told=_shown(output, allow)
        )
    document = done.document() | {"forwarded": forwarder.report.document() if forwarder else None}
    log_failures(reception.failures)
    output.emit(document, _text(document, study))
    return exit_code(done, document)


def exit_code(done: "Listened", document: dict[str, Any]) -> int:
    """Return 0, or 1 where we failed: an object was not stored, or not sent on."""
    forwarded = document["forwarded"] or {}
    is_behind = bool(forwarded.get("waiting") or forwarded.get("refused"))
    return PARTLY if document["failed"] or is_behind or not done.is_audited else DONE


def _tls(certificate: Path | None, key: Path | None, authority: Path | None) -> Any:
    from lesionary.core.errors import InputError
    from lesionary.io.dicom_net.tls import TlsSettings

    if certificate is None and key is None and authority is None:
        return None
    if certificate is None or key is None:
        raise InputError(
            "TLS needs a certificate and its key", code="usage", hint="--tls-cert and --tls-key"
        )
    return TlsSettings(certificate, key, authority)


def _no_forward() -> Exception:
    from lesionary.core.errors import InputError

    return InputError(
        "--forward-ca is of no use without --forward",
        code="usage",
        hint="--forward takes the URL of the server whose certificate that authority signed",
    )


def _reception(
    stack: ExitStack,
    study: "Study",
    door: tuple[str | None, list[str]],
    forward: tuple[str | None, Path | None],
    output: Output,
    *,
    is_keeping: bool,
) -> Any:
    """Open door, store and, where they are wanted, keeper and forwarder."""
    from lesionary.app.reception import receiving
    from lesionary.app.study_door import study_door
    from lesionary.io.kept_objects import KeptObjects

    opened = stack.enter_context(
        study_door(study, door[0], extra_words=door[1], when_made=output.note_new_vault)
    )
    keeper = KeptObjects(opened.vault) if is_keeping else None
    reception = stack.enter_context(receiving(study, opened.door, keeper=keeper))
    if forward[0] is None:
        return reception, None
    from lesionary.app.forwarding import Forwarder
    from lesionary.io.dicomweb.http import Server, authorization_from

    server = Server(forward[0], forward[1], authorization=authorization_from())
    forwarder = stack.enter_context(Forwarder.to_server(reception.files, server))
    reception.on_stored = forwarder.add
    return reception, forwarder


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into a wish to end; threads that fail say nothing of values."""
    stop = threading.Event()
    previous = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    hook = threading.excepthook
    threading.excepthook = _failed_thread
    try:
        yield stop
    finally:
        threading.excepthook = hook
        for number, handler in previous.items():
            signal.signal(number, handler)


def _failed_thread(failed: threading.ExceptHookArgs) -> None:
    from lesionary.app.executor.outcome import bug

    if failed.exc_value is not None:
        log_failures([bug(failed.exc_value)])


def _warn(output: Output, settings: "ReceiverSettings") -> None:
    if settings.address in _LOOPBACK:
        return
    if settings.tls is None:
        output.note("warning: without TLS originals cross the network in the clear (--tls-cert)")
    if not settings.allowed_callers and (settings.tls is None or settings.tls.authority is None):
        output.note("warning: whoever reaches this port may send (--allow, --tls-ca)")


def _shown(output: Output, allow: list[str]) -> Any:
    from lesionary.app.listen import Told

    is_terminal = sys.stderr.isatty() and not output.is_json

    class Shown(Told):
        def listening(self, address: str, port: int, ae_title: str) -> None:
            whom = f"from {counted(len(allow), 'AE title')}" if allow else "from any AE title"
            output.note(f"listening on {address}:{port} as {ae_title}, {whom}; Ctrl-C ends it")
            sys.stderr.flush()

        def ended(self, number: int, ending: str, tally: "Tally") -> None:
            output.note(f"association {number} {ending}: {counts_text(tally.document())}")

        def rejected(self, number: int | None, rejection: "Rejection") -> None:
            what = "connection" if number is None else f"association {number}"
            output.note(f"{what} rejected: {rejection_text(rejection, is_named=is_terminal)}")

    return Shown()


def rejection_text(rejection: "Rejection", *, is_named: bool) -> str:
    """Say in one line why nothing could be sent, and what to do.

    Parameters
    ----------
    rejection : Rejection
    is_named : bool
        Whether the wrong AE title is shown: it may name a hospital, so only on the user's own
        terminal.

    Examples
    --------
    >>> from lesionary.io.dicom_net.rejections import Rejection
    >>> rejection_text(Rejection("x", "no", "ask again", "PACS"), is_named=False)
    'no (x); ask again'
    """
    title = f": {rejection.title!r}" if is_named and rejection.title else ""
    return f"{rejection.reason}{title} ({rejection.code}); {rejection.hint}"


def counts_text(document: dict[str, Any]) -> str:
    """Say how many objects came to what, and why."""
    names = ("released", "duplicate", "quarantined", "refused", "failed")
    said = [f"{document[name]} {name}" for name in names if document[name]]
    why = ", ".join(f"{code} {n}" for code, n in document["codes"].items())
    return (", ".join(said) or "no objects") + (f" ({why})" if why else "")


def _text(document: dict[str, Any], study: Path) -> str:
    lines = [f"{counted(document['associations'], 'association')}: {counts_text(document)}"]
    if document["rejections"]:
        why = ", ".join(f"{code} {n}" for code, n in document["rejections"].items())
        lines.append(f"Turned away: {why}")
    forwarded = document["forwarded"]
    if forwarded:
        lines.append(
            f"Sent on: {forwarded['sent']}, refused there: {forwarded['refused']},"
            f" waiting: {forwarded['waiting']}"
            + (f" ({forwarded['problem']})" if forwarded["problem"] else "")
        )
    if not document["audited"]:
        lines.append("The audit could not be written: see the study's log.")
    if document["released"]:
        lines.append(f"Next: lesionary ingest {study} --received")
    return "\n".join(lines)
