"""Write ``docs/reference/commands.md`` from the commands: ``python docs/make_commands.py``.

A test compares the page with what this script makes, so no option stays undocumented.
"""

from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).parent / "reference" / "commands.md"

HEAD = """# Commands

Made by `python docs/make_commands.py`. Every command takes `--json`. Exit codes: 0 done (with
warnings, fixes, and what a rule left out), 1 something faulty was left out and the rest is done,
2 nothing usable or a wrong command line, 70 a fault of Lesionary's own, 130 interrupted.

An option's variable in the environment counts where the option is not given. These have no option:

| variable | |
|---|---|
| `LESIONARY_DICOMWEB_AUTH` | the whole Authorization header for a DICOMweb server |
| `LESIONARY_DICOMWEB_AUTH_FILE` | a file of mode 600 that holds it |
| `LESIONARY_VAULT` | folder of the vault and of studies' keys; else in the user's data folder |
| `LESIONARY_VAULT_KEY` | the vault's keys: `file:PATH`, `keyring:NAME`, or the line itself |
| `LESIONARY_ACTOR` | who acts, in the audit's words; by default the user's name on the machine |
| `LESIONARY_REGISTRY_URL` | where the registry lies, in place of what `study.toml` says |
| `LESIONARY_REGISTRY_WAIT_S` | seconds to wait for a registry that is busy or away; 60 by default |
"""


def page() -> str:
    """Return the page's text."""
    from lesionary.cli.main import app

    root: Any = typer.main.get_command(app)
    parts = [HEAD]
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            parts += [section(f"{name} {verb}", sub) for verb, sub in command.commands.items()]
        else:
            parts.append(section(name, command))
    return "\n".join(parts)


def section(name: str, command: Any) -> str:
    """Return one command: what it does, its arguments and options."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join([f"lesionary {name}", *(shown(one) for one in arguments)])
    lines = [f"## {name}", "", f"`{usage}`", "", command.help.partition("\n")[0], ""]
    lines += ["| argument or option | |", "|---|---|"]
    lines += [f"| `{shown(one)}` | {one.help} |" for one in arguments]
    lines += [f"| `{', '.join(one.opts)}` | {described(one)} |" for one in options]
    return "\n".join(lines) + "\n"


def shown(argument: Any) -> str:
    """Return an argument as the usage line names it."""
    name = argument.metavar or argument.name.upper()
    return f"{name}…" if argument.nargs == -1 else name


def described(option: Any) -> str:
    """Return an option's help with its default and its variable in the environment."""
    text = option.help or ""
    is_said = option.default is not None and option.default is not False and option.default != ""
    if is_said and not callable(option.default):
        text += f" Default: `{option.default}`."
    return f"{text} Variable: `{option.envvar}`." if option.envvar else text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
