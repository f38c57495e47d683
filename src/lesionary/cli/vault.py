"""``lesionary vault``: the way back from a number to a patient, and everything that guards it."""

import sys
from pathlib import Path
from typing import Any

import typer

from lesionary.cli.output import DONE, PARTLY, UNUSABLE, Output, counted, table

_LAST = 40
_SHOWN_WIDTH = 60
_SECONDS = len("2026-01-31T12:00:00")
_UNKNOWN_HINT = (
    "an ID counts as it is written, and so does its --issuer where scans name one;"
    " is it the right vault?"
)

app = typer.Typer(
    help="The vault: patients' numbers, and the way back for those who may.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_VAULT = typer.Option(
    None,
    "--vault",
    envvar="LESIONARY_VAULT_URL",
    help="A folder, sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE;"
    " by default the folder LESIONARY_VAULT, or one in the user's data folder.",
)
_WHY = typer.Option(..., help="The reason, three words at least; it is stored, so name no patient.")
_JSON = typer.Option(False, "--json", help="Print one JSON document.")


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="vault")


@app.command()
def create(
    vault: str | None = _VAULT,
    key: str | None = typer.Option(
        None,
        help="Where its keys go: file:PATH or keyring:NAME; by default LESIONARY_VAULT_KEY, or"
        " the file keys/vault.key in the vault's folder.",
    ),
    *,
    json: bool = _JSON,
) -> int:
    """Make a vault and its keys, once."""
    from lesionary.app import vault as vaults

    made = vaults.create(vault, key)
    place = made["key_file"] or f"the {made['keys']}"
    Output(json).emit(
        made,
        f"Made a vault: {made['database_file'] or 'on ' + made['database']}; its keys: {place}.\n"
        "Keep a copy of the keys apart from every copy of the database: without them no number\n"
        "leads back to its patient, and with both every number does.",
    )
    return DONE


@app.command()
def reveal(
    number: str = typer.Argument(..., help="The number that stands for the patient."),
    why: str = _WHY,
    vault: str | None = _VAULT,
    *,
    json: bool = _JSON,
) -> int:
    """Tell whose number it is; that somebody asks is written down before it is decrypted."""
    from lesionary.app import vault as vaults

    found = vaults.reveal(vault, number, why)
    issuer = f"\nissuer: {_short(found['issuer'])}" if found["issuer"] else ""
    Output(json).emit(found, f"patient ID: {_short(found['patient_id'])}{issuer}")
    return DONE


@app.command()
def find(
    patient_id: str = typer.Argument(
        "-", help="- reads it from standard input, or asks: what is typed here stays in histories."
    ),
    issuer: str = typer.Option("", help="Issuer of the patient ID, if the scans name one."),
    why: str | None = typer.Option(None, help="The reason; it is stored, so name no patient."),
    vault: str | None = _VAULT,
    *,
    json: bool = _JSON,
) -> int:
    """Tell a patient's number; exit code 2 where there is none. That somebody looked is stored."""
    from lesionary.app import vault as vaults

    wanted = _asked() if patient_id == "-" else patient_id
    found = vaults.find(vault, wanted, issuer, vaults.LOOKED_UP if why is None else why)
    number, output = found["number"], Output(json)
    output.emit(found, "" if number is None else str(number))
    if number is not None:
        return DONE
    if not json:
        output.note(f"{found['reason']['number']}\n  hint: {_UNKNOWN_HINT}")
    return UNUSABLE


@app.command()
def kept(
    name: str | None = typer.Argument(None, help="One of them; without it, all are listed."),
    output: Path | None = typer.Option(None, "-o", "--output", help="Where the original goes."),
    why: str = typer.Option("", help="The reason; it is stored, so name no patient."),
    vault: str | None = _VAULT,
    *,
    json: bool = _JSON,
) -> int:
    """List quarantined originals that `listen --keep-quarantined` kept, or give one back."""
    from lesionary.app import vault as vaults
    from lesionary.core.errors import InputError

    if name is None:
        found = vaults.kept(vault)
        Output(json).emit(found, "\n".join(found["kept"]) or "nothing is kept")
        return DONE
    if output is None:
        raise InputError(
            "nothing says where the original goes",
            code="usage",
            hint='-o FILE, and --why "…"; without a name all that are kept are listed',
        )
    given = vaults.give_kept(vault, name, output, why)
    Output(json).emit(given, f"{output}: {given['bytes']} bytes, with all that names its patient")
    return DONE


@app.command()
def rotate(
    why: str = typer.Option("", help="The reason; it is stored, so name no patient."),
    vault: str | None = _VAULT,
    *,
    key_only: bool = typer.Option(
        False, "--key-only", help="Only add the new key, to hand it to all machines before its use."
    ),
    json: bool = _JSON,
) -> int:
    """Encrypt every identity under a new key; numbers and pseudonyms stay what they are."""
    from lesionary.app import vault as vaults

    if key_only:
        added = vaults.add_key(vault)
        said = "A new key stands" if added["is_added"] else "A key that nothing uses yet stands"
        Output(json).emit(added, f"{said} in front. Hand the keys out, then rotate.")
        return DONE
    done = vaults.rotate(vault, why)
    identities = counted(done["n_identities"], "identity", "identities")
    Output(json).emit(
        done,
        f"{identities} encrypted under a new key, generation {done['generation']}.\n"
        "What the old key encrypted is still there: `lesionary vault retire` removes it.",
    )
    return DONE


@app.command()
def retire(
    why: str = _WHY,
    vault: str | None = _VAULT,
    *,
    json: bool = _JSON,
) -> int:
    """Remove what old keys encrypted, and the old keys, after a rotation."""
    from lesionary.app import vault as vaults

    done = vaults.retire(vault, why)
    keys = counted(done["n_keys"], "old key")
    kept = "" if done["has_dropped_keys"] else " to be taken out of LESIONARY_VAULT_KEY"
    rest = "" if done["is_erased"] else "\nAnother process reads the vault: their bytes go later."
    Output(json).emit(
        done, f"{counted(done['n_tokens'], 'old token')} removed; {keys}{kept or ' dropped'}.{rest}"
    )
    return DONE


@app.command()
def audit(
    vault: str | None = _VAULT,
    last: int = typer.Option(_LAST, min=1, help="How many events to list, counted from the end."),
    *,
    json: bool = _JSON,
) -> int:
    """Show who asked the vault for what, when and why."""
    from lesionary.app import vault as vaults

    page = vaults.audit(vault, last)
    Output(json).emit(page, _events(page))
    return DONE


@app.command()
def status(vault: str | None = _VAULT, *, json: bool = _JSON) -> int:
    """Show what is in the vault, in counts, and the anchor of its audit."""
    from lesionary.app import vault as vaults

    found = vaults.status(vault)
    Output(json).emit(
        found,
        f"{counted(found['n_identities'], 'identity', 'identities')} on {found['database']},"
        f" generation {found['generation']} of the key,"
        f" {counted(found['n_keys'], 'key')} in the {found['keys']}\n"
        f"audit: {counted(found['n_events'], 'event')}, anchor {found['anchor']}",
    )
    return DONE


@app.command()
def verify(
    vault: str | None = _VAULT,
    anchor: str | None = typer.Option(None, help="SEQ:HASH, as `status` showed it earlier."),
    *,
    json: bool = _JSON,
) -> int:
    """Check the vault: guards, audit, and every identity decrypted and found again."""
    from lesionary.app import vault as vaults

    report = vaults.verify(vault, anchor)
    rows = [(one["unit"], one["code"], one["reason"]) for one in report["failed"]]
    Output(json).emit(report, table(("on", "code", "reason"), rows) or "The vault holds.")
    return PARTLY if rows else DONE


def _asked() -> str:
    from lesionary.core.errors import InputError

    if sys.stdin.isatty():
        try:
            return str(typer.prompt("Patient ID", hide_input=True, err=True))
        except typer.Abort as stop:
            if isinstance(stop.__cause__, EOFError):
                return ""
            raise
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InputError(
            "standard input is not in this terminal's encoding", hint="give it as UTF-8"
        ) from None


def _events(page: dict[str, Any]) -> str:
    fields = ("actor", "action", "object", "why")
    rows = [
        (str(one["seq"]), f"{one['at'][:_SECONDS]}Z", *(_cut(_short(one[name])) for name in fields))
        for one in page["events"]
    ]
    n_before = page["n_events"] - len(rows)
    listed = table(("event", "when", "who", "what", "on", "why"), rows)
    return listed + (f"\n… and {n_before} before: see --last" if n_before else "")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_WIDTH else f"{text[: _SHOWN_WIDTH - 1]}…"


def _short(text: str) -> str:
    """Return a text as one line of characters that a terminal shows and does not obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
