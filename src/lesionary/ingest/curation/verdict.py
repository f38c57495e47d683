"""What a rule says of a series, and how a rule that is written wrong is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

from lesionary.core.errors import InputError
from lesionary.ingest.curation.facts import SeriesFacts

Missing = Literal["leave_out", "keep"]


class RuleError(InputError):
    """A rule is written wrong: the key that is, and what it should be.

    ``path`` leads to the key in a protocol, tables of one name by their number from 0; empty where
    the rule stands alone.
    """

    code = "rule"

    def __init__(self, key: str, problem: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"`{key}` {problem}")
        self.key = key
        self.problem = problem
        self.path = path


@dataclass(frozen=True, slots=True)
class Unfit:
    """The series is not of this study, and why: values and units, never a text from a header.

    ``reason`` is the same for all series that a limit puts out, ``found`` is this one's value.
    """

    reason: str
    found: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.found}" if self.found else self.reason


@dataclass(frozen=True, slots=True)
class Unknown:
    """The series lacks what the rule asks about: then the rule's ``missing`` decides."""

    element: str


Verdict = Unfit | Unknown | None
"""None: the series fits."""


@runtime_checkable
class SeriesRule(Protocol):
    """A rule that needs one series only."""

    name: ClassVar[str]

    @property
    def missing(self) -> Missing:
        """What happens to a series that lacks the element."""

    @property
    def label(self) -> str:
        """What the rule is for."""

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether a series fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every rule may say.

    Parameters
    ----------
    missing : {"leave_out", "keep"}
        What happens to a series that lacks what the rule asks about.
    label : str
        What the rule is for, in the words of a flow chart.
    """

    missing: Missing = "leave_out"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A PET and the CT that belongs to it, by their series."""

    study: str
    pet: str
    ct: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What a rule over the whole set says: a verdict for each series that does not simply fit."""

    verdicts: Mapping[str, Verdict]
    pairs: tuple[Pair, ...] = ()


@runtime_checkable
class SetRule(Protocol):
    """A rule that compares series: it sees what the rules before it have left."""

    name: ClassVar[str]

    @property
    def missing(self) -> Missing:
        """What happens to a series that lacks the element."""

    @property
    def label(self) -> str:
        """What the rule is for."""

    def select(self, series: Sequence[SeriesFacts]) -> Selection:
        """Say which series fit."""


Rule = SeriesRule | SetRule
