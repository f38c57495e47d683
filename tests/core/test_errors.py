"""Every code that the program can say stands in the reference, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "lesionary"
REFERENCE = REPOSITORY / "docs" / "reference"
CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
FIRST_OF_ROW = re.compile(r"^\| ((?:`[a-z0-9_]+` ?)+)\|", re.MULTILINE)
ANY_ERROR = "error"
"""The code of no error: every kind of error has its own."""


def parsed() -> Iterator[ast.Module]:
    for path in PACKAGE.rglob("*.py"):
        yield ast.parse(path.read_text(encoding="utf-8"))


def constants() -> dict[str, str]:
    """Return texts that modules give a name: ``TIMEOUT = "timeout"``."""
    return {
        target.id: node.value.value
        for module in parsed()
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def texts(expression: ast.expr, named: dict[str, str]) -> set[str]:
    found = {
        named.get(node.id, "") if isinstance(node, ast.Name) else node.value
        for node in ast.walk(expression)
        if isinstance(node, ast.Name) or (isinstance(node, ast.Constant) and node.value)
    }
    return {text for text in found if isinstance(text, str) and CODE.fullmatch(text)}


def said_as_errors() -> set[str]:
    """Return the codes of errors and of failed cases."""
    named = constants()
    said: set[str] = set()
    for module in parsed():
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                given = [one.value for one in node.keywords if one.arg == "code"]
                given += node.args[:1] if name_of(node) in {"Failure", "Rejection"} else []
                said |= {text for one in given for text in texts(one, named)}
            elif isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                own = [one for one in node.body if isinstance(one, ast.Assign)]
                given = [one.value for one in own if getattr(one.targets[0], "id", "") == "code"]
                said |= {text for one in given for text in texts(one, named)}
    return said - {ANY_ERROR}


def said_by_verify() -> set[str]:
    """Return the codes of what ``verify`` finds: second argument of what takes them."""
    folders = (PACKAGE / "app" / "verify", PACKAGE / "io" / "registry")
    takers = {"fail", "check", "RowFault", "Break"}
    return {
        node.args[1].value
        for folder in folders
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and name_of(node) in takers and len(node.args) > 1
        if isinstance(node.args[1], ast.Constant)
    }


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_every_code_of_an_error_or_a_failed_case_stands_in_the_reference():
    listed = page("errors.md") + page("gate.md") + page("vault.md")
    said = said_as_errors()
    assert {"busy", "timeout", "registry_missing", "workflow"} <= said
    assert {code for code in said if f"`{code}`" not in listed} == set()


def test_every_code_of_verify_stands_in_the_reference():
    listed = page("audit.md")
    said = said_by_verify()
    assert {"row_changed", "audit_truncated"} <= said
    assert {code for code in said if f"`{code}`" not in listed} == set()


def test_the_reference_lists_no_code_that_nothing_says():
    listed = {
        code for cell in FIRST_OF_ROW.findall(page("errors.md")) for code in cell.split("`")[1::2]
    }
    assert "cluster_lost" in listed
    assert listed - said_as_errors() == set()
