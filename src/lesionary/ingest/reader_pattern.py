"""``--reader-from``: who drew what of whom, read from file names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.core.errors import InputError

FIELDS = ("subject", "timepoint", "reader", "label")

_PART = re.compile(r"\{(?P<field>[^{}]*)\}|(?P<glob>\*\*/|\*\*|\*|\?)|(?P<text>[^{}*?]+|[{}])")
_GLOBS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True)
class NamedParts:
    """What a pattern found in one name; None for fields it does not have."""

    subject: str | None = None
    timepoint: str | None = None
    reader: str | None = None
    label: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class ReaderPattern:
    """A pattern such as ``{subject}/{timepoint}/{reader}_*.nii.gz``, ready to match.

    A field takes the shortest text without ``/`` that makes the whole fit, at least one character;
    the same field twice must be the same text twice. ``*`` and ``?`` stay within a folder, ``**``
    does not. Case counts.
    """

    expression: re.Pattern[str]

    def match(self, below: str) -> NamedParts | None:
        """Match the path below the argument, or return None.

        Examples
        --------
        >>> pattern = parse_pattern("{subject}/{timepoint}/{reader}_*.nii.gz")
        >>> pattern.match("007/0/anna_tumour.nii.gz")
        NamedParts(subject='007', timepoint='0', reader='anna', label=None, group=None)
        """
        match = self.expression.fullmatch(below)
        return None if match is None else NamedParts(**match.groupdict())


def parse_pattern(text: str, fields: Sequence[str] = FIELDS) -> ReaderPattern:
    """Read a pattern that may name the given fields.

    Raises
    ------
    InputError
        If it names a field that does not exist, or none.
    """
    expression, seen = "", set[str]()
    for part in _PART.finditer(text):
        field = part.group("field")
        if field is None:
            expression += _GLOBS.get(part.group(), re.escape(part.group()))
            continue
        if field not in fields:
            raise InputError(
                f"the pattern has no field '{field}'",
                hint="fields are " + ", ".join(f"{{{name}}}" for name in fields),
            )
        expression += f"(?P={field})" if field in seen else f"(?P<{field}>[^/]+?)"
        seen.add(field)
    if not seen:
        raise InputError(
            "the pattern has no field, so it says nothing",
            hint="such as {subject}/{timepoint}/{reader}_*.nii.gz",
        )
    return ReaderPattern(re.compile(expression))
