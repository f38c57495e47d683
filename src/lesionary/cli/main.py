"""The commands' root: runs one command and turns what it raises into an exit code."""

import sys
from collections.abc import Sequence

import typer

from lesionary.cli import (
    audit,
    demo,
    explain,
    export,
    file,
    gc,
    idc,
    import_,
    ingest,
    listen,
    new,
    output,
    publish,
    pull,
    reported,
    review,
    run,
    split,
    stages,
    status,
    upgrade,
    vault,
    verify,
)
from lesionary.cli.usage import usage_text
from lesionary.core.errors import LesionaryError

UsageError = typer.BadParameter.__mro__[1]
"""The class of every wrong command line. Typer brings click or its own copy of it; neither exports
the class under a name that all versions share."""

app = typer.Typer(
    name="lesionary",
    help="From scans to a reviewed, measured, published tumour data set.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
JOURNEY = (demo, new, idc, listen, pull, ingest, stages, split, run, review, reported, publish)
KEEPING = (status, explain, verify, audit, gc, export, import_, upgrade, vault)
for module in (*JOURNEY, *KEEPING):
    module.register(app)
app.add_typer(file.app, name="file")


@app.callback(invoke_without_command=True)
def root(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    """From scans to a reviewed, measured, published tumour data set."""
    if version:
        from importlib.metadata import version as installed

        sys.stdout.write(f"lesionary {installed('lesionary')}\n")
        raise typer.Exit


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = typer.main.get_command(app).main(
            args=list(arguments), prog_name="lesionary", standalone_mode=False
        )
    except typer.Exit as stop:
        return stop.exit_code
    except KeyboardInterrupt:
        code = output.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last boundary: what nobody expected is a bug
        code = _exit_code_of(error, is_json="--json" in arguments)
    if code == output.INTERRUPTED:  # some versions of Typer turn an interrupt into its code
        output.report_interrupt(arguments)
    return int(code or output.DONE)


def _exit_code_of(error: Exception, *, is_json: bool) -> int:
    if isinstance(error, typer.Abort):
        if not isinstance(error.__cause__, EOFError):
            return output.INTERRUPTED
        error = error.__cause__  # of a file: nothing is asked for here that could end
    if isinstance(error, LesionaryError):
        return output.report_error(error, is_json=is_json)
    if isinstance(error, UsageError):
        return _wrong_usage(error, is_json=is_json)
    if isinstance(error, BrokenPipeError):
        return output.DONE
    return output.report_bug(error, is_json=is_json)


def _wrong_usage(error: Exception, *, is_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write((getattr(error, "message", "") or str(error)) + "\n")
        return output.UNUSABLE
    hint = f"see `{context.command_path} --help`" if context is not None else "see `--help`"
    return output.report_usage(usage_text(error), is_json=is_json, hint=hint)
