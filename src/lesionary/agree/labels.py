"""One label, one value: what makes the labels of several readers comparable.

A label is its text where it has one, else its value. Readers who worked apart may have numbered the
same texts otherwise; taken by value, each would seem to have missed what the other drew.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lesionary.core.components import MAX_LABEL
from lesionary.core.errors import InputError
from lesionary.core.volume import LabelArray, LabelMap

Texts = Mapping[int, str]


def same_labels(readers: Sequence[LabelMap]) -> tuple[tuple[LabelArray, ...], dict[int, str]]:
    """Give every text the same value in all readers' arrays.

    Parameters
    ----------
    readers : sequence of LabelMap
        Texts are one where they differ in case and spaces only. A value that has a text with some
        readers and none with others has it with all.

    Returns
    -------
    arrays : tuple of uint16 arrays
        Those given, not copied, where the numbering is the same already.
    texts : dict of int to str
        The text of each value that has one.

    Raises
    ------
    InputError
        If a value without a text means different things to other readers.
    """
    meanings = [_meanings(reader.labels, readers) for reader in readers]
    values: dict[str, set[int]] = {}
    for meaning in meanings:
        for value, key in meaning.items():
            values.setdefault(key, set()).add(value)
    codes = _codes(values, readers)
    written = {_key(text): text for reader in reversed(readers) for text in reader.labels.values()}
    arrays = tuple(
        _renumbered(reader.array, {value: codes[key] for value, key in meaning.items()})
        for reader, meaning in zip(readers, meanings, strict=True)
    )
    return arrays, {code: written[key] for key, code in codes.items()}


def _key(text: str) -> str:
    return "".join(text.lower().split())


def _meanings(texts: Texts, readers: Sequence[LabelMap]) -> dict[int, str]:
    """Return the key of each value's text for one reader, borrowed from the others if need be."""
    elsewhere: dict[int, set[str]] = {}
    for reader in readers:
        for value, text in reader.labels.items():
            elsewhere.setdefault(value, set()).add(_key(text))
    own = {value: _key(text) for value, text in texts.items()}
    for value, keys in elsewhere.items():
        if value not in own and len(keys) > 1:
            raise InputError(
                f"label {value} has different texts and none with one reader",
                hint="give every reader's labels a text, or none",
            )
        own.setdefault(value, next(iter(keys)))
    return own


def _codes(values: Mapping[str, set[int]], readers: Sequence[LabelMap]) -> dict[str, int]:
    """Give each text the least of its values; where that is another's already, a free one."""
    codes: dict[str, int] = {}
    clashing: list[str] = []
    for key in sorted(values, key=lambda key: (min(values[key]), key)):
        if min(values[key]) in codes.values():
            clashing.append(key)
        else:
            codes[key] = min(values[key])
    if clashing:
        is_taken = np.zeros(MAX_LABEL + 1, dtype=np.bool_)
        is_taken[[0, *codes.values()]] = True
        for reader in readers:
            is_taken[reader.array.reshape(-1)] = True
        free = np.flatnonzero(~is_taken)[::-1].tolist()
        codes.update(zip(clashing, free, strict=False))
    return codes


def _renumbered(array: LabelArray, codes: Mapping[int, int]) -> LabelArray:
    if all(value == code for value, code in codes.items()):
        return array
    table = np.arange(MAX_LABEL + 1, dtype=np.uint16)
    for value, code in codes.items():
        table[value] = code
    renumbered: LabelArray = table[array]
    return renumbered
