"""Search bytes for identities in every form that somebody could read them back from."""

import base64
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

import numpy as np

from .identities import GENERIC, Token

ENCODINGS = (
    "utf-8", "latin-1", "utf-16le", "utf-16be", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5",
    "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "tis-620", "shift_jis",
    "iso2022_jp", "euc_kr", "gb18030", "gbk", "gb2312", "koi8-r", "cp1251",
)  # fmt: skip
OWN_UID = re.compile(rb"2\.25\.[0-9]{20,39}")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_LETTERS, _DIGITS, _FOREIGN = 4, 5, 3
_BITS = 22
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")


@dataclass(frozen=True, slots=True)
class Leak:
    """A token that is still to be read, where, and in which form."""

    token: Token
    output: str
    form: str


@dataclass(frozen=True)
class Haystack:
    """All bytes of an output, and what is packed inside them."""

    name: str
    content: bytes

    @cached_property
    def layers(self) -> tuple[bytes, ...]:
        """The bytes without our own UIDs, and every stream in them unpacked."""
        plain = OWN_UID.sub(b"2.25.", self.content)
        return (plain, *_unpacked(plain))

    @cached_property
    def folded(self) -> tuple[bytes, ...]:
        """The same in lower case."""
        return tuple(layer.lower() for layer in self.layers)

    @cached_property
    def windows(self) -> np.ndarray:
        """Which groups of four bytes occur, by their hashes; a quick no for most patterns."""
        seen = np.zeros(1 << _BITS, bool)
        for layer in (*self.layers, *self.folded):
            seen[_hashes(layer)] = True
        return seen

    def has(self, pattern: bytes, *, is_exact: bool) -> bool:
        """Return whether a pattern occurs; letters of either case are the same, unless exact."""
        if len(pattern) >= 4 and not self.windows[_hashes(pattern)].all():
            return False
        return any(pattern in layer for layer in (self.layers if is_exact else self.folded))


def _hashes(content: bytes) -> np.ndarray:
    values = np.frombuffer(content, np.uint8).astype(np.uint64)
    if len(values) < 4:
        return np.zeros(0, np.uint64)
    words = values[:-3] | values[1:-2] << 8 | values[2:-1] << 16 | values[3:] << 24
    return (words * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> np.uint64(32 - _BITS)


def _unpacked(content: bytes) -> Iterator[bytes]:
    for found in _ZLIB.finditer(content):
        bits = 31 if found[0][0] == 0x1F else 15
        try:
            yield zlib.decompressobj(bits).decompress(content[found.start() :], 1 << 20)
        except zlib.error:
            continue
    for bits in (15, -15, 31):
        try:
            yield zlib.decompressobj(bits).decompress(content, 1 << 20)
        except zlib.error:
            continue


def parts_of(text: str) -> list[str]:
    """Return the words of a text that tell something, and its long numbers."""
    found = []
    for part in _PARTS.findall(text):
        is_foreign = any(ord(letter) > 0x2FF for letter in part)
        least = _FOREIGN if is_foreign else _DIGITS if part.isdigit() else _LETTERS
        if len(part) >= least:
            found.append(part)
    return found


def forms(text: str) -> Iterator[tuple[str, bytes, bool]]:
    """Return the forms of a word: what it is called, bytes, whether case matters."""
    spellings = {text, text.lower(), text.upper(), _without_marks(text), text.title()}
    for spelling in spellings:
        turned = [] if text.isdigit() else [("reversed ", spelling[::-1])]
        for way, written in (("", spelling), *turned):
            for encoding in ENCODINGS:
                try:
                    encoded = written.encode(encoding)
                except UnicodeEncodeError:
                    continue
                if len(encoded) >= _LETTERS:
                    yield f"{way}{encoding}", encoded.lower(), False
    raw = text.encode()
    for spelling in (raw, raw.lower(), raw.upper()):
        for shift in range(3):
            packed = base64.b64encode(b"\0" * shift + spelling)
            core = packed[(shift * 8 + 5) // 6 : -4]
            if len(core) >= _LETTERS:
                yield "base64", core, True
        yield "hex", spelling.hex().encode(), False
        yield "percent", quote(spelling, safe="").encode().lower(), False
        yield (
            "spaced",
            b" ".join(spelling[at : at + 1] for at in range(len(spelling))).lower(),
            False,
        )
        yield (
            "dotted",
            b".".join(spelling[at : at + 1] for at in range(len(spelling))).lower(),
            False,
        )


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(one for one in apart if not unicodedata.combining(one))


def date_forms(date: str) -> list[str]:
    """Return the ways to write ``YYYYMMDD``."""
    year, month, day = date[:4], date[4:6], date[6:]
    ways = ((year, month, day), (day, month, year), (month, day, year))
    return [date, *(mark.join(way) for mark in "-./ " for way in ways)]


def words_to_find(token: Token) -> list[str]:
    """Return what of a token may be found nowhere."""
    if token.kind == "date":
        return date_forms(token.text)
    parts = [part for part in parts_of(token.text) if part.casefold() not in GENERIC]
    if token.kind == "identifier":
        return [part for part in parts if part.isdigit()]
    if not token.is_obfuscated:
        return parts
    return [token.text, *(part for part in parts if not part.isdigit())]


def squeezed(text: str) -> str:
    """Return the letters and digits of a text in one case."""
    return "".join(filter(str.isalnum, text.casefold()))


def identifiers_left(tokens: Iterable[Token], texts: Iterable[tuple[str, str]]) -> list[Leak]:
    """Return the identifiers that the texts of their own file hold, however they are separated.

    They are too short to be looked for among the bytes of pixels, or in other files.

    Parameters
    ----------
    tokens : iterable of Token
    texts : iterable of (str, str)
        What an element is called, and one of its values.
    """
    values = [(where, text, squeezed(text)) for where, text in texts]
    return [
        Leak(token, token.file, f"{token.text!r} in {where}: {text!r}")
        for token in tokens
        if token.kind == "identifier"
        for where, text, bare in values
        if squeezed(token.text) in bare
    ]


def leaks(tokens: Iterable[Token], outputs: Mapping[str, bytes]) -> list[Leak]:
    """Return every token that is still somewhere in the outputs.

    Parameters
    ----------
    tokens : iterable of Token
    outputs : mapping of str to bytes
        By name; names are searched as well.
    """
    stacks = [Haystack(name, name.encode() + b"\n" + content) for name, content in outputs.items()]
    if not stacks:
        return []
    whole = np.logical_or.reduce([stack.windows for stack in stacks])
    found: dict[tuple[str, str], Leak] = {}
    for token in tokens:
        for word in words_to_find(token):
            for form, pattern, is_exact in forms(word):
                if not whole[_hashes(pattern)].all():
                    continue
                for stack in stacks:
                    if stack.has(pattern, is_exact=is_exact):
                        leak = Leak(token, stack.name, f"{word!r} as {form}")
                        found.setdefault((token.text, stack.name), leak)
    return list(found.values())
