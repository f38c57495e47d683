"""The basic profile with the options somebody chose: one action for every element.

Source: DICOM PS3.15 annex E, sections E.2 and E.3.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Self

from lesionary.core.errors import InputError
from lesionary.ingest.deidentify.defaults import (
    BY_VR,
    BYTES,
    TEMPORAL,
    UNSHIFTED,
    default_action,
)
from lesionary.ingest.deidentify.options import (
    BASIC_CODE,
    OPTIONS,
    Code,
    Option,
    OptionMetadata,
)
from lesionary.ingest.deidentify.table import Action, Row, standard_table

__all__ = [
    "BASIC_CODE",
    "OPTIONS",
    "Action",
    "Code",
    "Option",
    "OptionMetadata",
    "Profile",
    "default_action",
]

DEFAULT_OPTIONS = frozenset(
    {
        Option.CLEAN_DESCRIPTORS,
        Option.CLEAN_GRAPHICS,
        Option.CLEAN_STRUCTURED_CONTENT,
        Option.LONGITUDINAL_MODIFIED,
        Option.PATIENT_CHARACTERISTICS,
        Option.SAFE_PRIVATE,
    }
)

_STRICTER = frozenset({0x00400275})
"""Orders (request attributes): the options let them stay, but nothing in them serves an image."""

_DATES_IN_UIDS = (
    "retain_uids: most makers write the moment of the scan into their UIDs; where dates are moved "
    "or removed, those UIDs are replaced all the same. With retain_full_dates they stay"
)

_CACHED = 32_768
"""Decisions remembered at most: more kinds of elements than the standard has are an attack."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The basic profile and some of its options.

    Parameters
    ----------
    options : frozenset of Option

    Raises
    ------
    InputError
        If the options contradict each other.

    Examples
    --------
    >>> Profile.default().action(0x00080020, "DA")
    <Action.CLEAN: 'clean'>
    >>> Profile(frozenset()).action(0x00080020, "DA")
    <Action.EMPTY: 'empty'>
    """

    options: frozenset[Option]
    _tabled: dict[tuple[int, str], Action | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _decided: dict[tuple[int, str], Action] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if {Option.LONGITUDINAL_FULL, Option.LONGITUDINAL_MODIFIED} <= self.options:
            raise InputError(
                "dates cannot stay and be shifted",
                code="profile",
                hint=f"choose {Option.LONGITUDINAL_FULL} or {Option.LONGITUDINAL_MODIFIED}",
            )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody who chose these options should know; empty where there is nothing.

        Examples
        --------
        >>> len(Profile.parse(["retain_uids"]).warnings), Profile.default().warnings
        (1, ())
        """
        if Option.RETAIN_UIDS not in self.options or Option.LONGITUDINAL_FULL in self.options:
            return ()
        return (_DATES_IN_UIDS,)

    @classmethod
    def default(cls) -> Self:
        """Return Lesionary's usual profile: what images and their meaning need, and no more."""
        return cls(DEFAULT_OPTIONS)

    @classmethod
    def parse(cls, names: Iterable[str]) -> Self:
        """Return the profile with exactly these options; none at all is the basic profile.

        Parameters
        ----------
        names : iterable of str
            As in ``Option``: ``retain_uids``.

        Raises
        ------
        InputError
            If there is no such option, or two contradict each other.
        """
        return cls(frozenset(map(_option, names)))

    def with_changes(self, *, added: Iterable[str] = (), left_out: Iterable[str] = ()) -> Self:
        """Return the profile with options added and left out.

        Parameters
        ----------
        added, left_out : iterable of str
            As in ``Option``. Full dates take the place of shifted ones.

        Raises
        ------
        InputError
            If there is no such option, or two contradict each other.
        """
        new = frozenset(map(_option, added))
        kept = self.options - frozenset(map(_option, left_out))
        if Option.LONGITUDINAL_FULL in new and Option.LONGITUDINAL_MODIFIED not in new:
            kept -= {Option.LONGITUDINAL_MODIFIED}
        return type(self)(kept | new)

    def action(self, tag: int, vr: str) -> Action | None:
        """Return what the table says of an element, with these options; None where it is silent.

        Parameters
        ----------
        tag : int
            ``0xGGGGEEEE``. Private attributes are ``REMOVE``: which of them are safe is another
            list.
        vr : str
            Of the element at hand. What has a VR by which the table's action cannot be done is
            removed.
        """
        key = (tag, vr)
        if key in self._tabled:
            return self._tabled[key]
        row = standard_table().row(tag)
        action = None if row is None else self._by_row(tag, vr, row)
        if len(self._tabled) < _CACHED:
            self._tabled[key] = action
        return action

    def decide(self, tag: int, vr: str) -> Action:
        """Return what happens to an element: by the table, else by its kind of value.

        What the table does not name follows the options all the same: dates stay, are shifted or
        become a dummy, UIDs stay or are replaced.
        """
        known = self._decided.get((tag, vr))
        if known is not None:
            return known
        action = self.action(tag, vr) or self._by_default(tag, vr)
        if len(self._decided) < _CACHED:
            self._decided[tag, vr] = action
        return action

    def _by_default(self, tag: int, vr: str) -> Action:
        action = default_action(tag, vr)
        if action is Action.UID and Option.RETAIN_UIDS in self.options:
            return Action.KEEP
        if action is Action.CLEAN and vr in TEMPORAL:
            return self._date_action(tag)
        return action

    def _date_action(self, tag: int) -> Action:
        if Option.LONGITUDINAL_FULL in self.options:
            return Action.KEEP
        is_shifted = Option.LONGITUDINAL_MODIFIED in self.options and tag not in UNSHIFTED
        return Action.CLEAN if is_shifted else Action.DUMMY

    def _by_row(self, tag: int, vr: str, row: Row) -> Action:
        if tag & 0xFFFF == 0 or tag in _STRICTER or not row.vr:
            return Action.REMOVE
        said = {row.options[option] for option in self.options if option in row.options}
        if not said or row.vr in BYTES or (tag in UNSHIFTED and "C" in said):
            action = row.action
        elif row.vr == "SQ":
            action = Action.RECURSE
        elif "C" in said:
            action = Action.CLEAN
        else:
            action = self._kept(row, vr)
        return _possible(action, row, vr)

    def _kept(self, row: Row, vr: str) -> Action:
        """Keep; but of a patient's characteristics only numbers stay unread, words are cleaned."""
        of_the_patient = row.options.get(Option.PATIENT_CHARACTERISTICS) == "K"
        return BY_VR.get(vr, Action.REMOVE) if of_the_patient else Action.KEEP


def _possible(action: Action, row: Row, vr: str) -> Action:
    """Return an action as far as it can be done to a value of this VR."""
    if action in {Action.REMOVE, Action.EMPTY}:
        return action
    is_sequence = vr == "SQ"
    if is_sequence != (action is Action.RECURSE) or (vr in BYTES and row.vr not in BYTES):
        return Action.REMOVE
    return action


def _option(name: str) -> Option:
    try:
        return Option(name)
    except ValueError:
        near = get_close_matches(name, list(Option), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"there is no option {name!r} of the basic profile",
            code="profile",
            hint=f"{hint}Options: {', '.join(Option)}",
        ) from None
