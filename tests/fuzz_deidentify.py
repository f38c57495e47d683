"""``make fuzz``: headers without pixels, written wrongly in every way, through the door.

``python -m tests.fuzz_deidentify [--cases 20000] [--seed N]``. Each case is a data set of random
elements in a random encoding, identities among them, and then some of its bytes are changed. It has
to end as a released, a quarantined or a refused file, never in an exception, and nothing of the
identities may be in what is released. A case is found again by its number: ``--only N``.
"""

import argparse
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from tests.deid_corpus.identities import Mint
from tests.deid_corpus.leaks import OWN_UID
from tests.deid_corpus.take import content_of, corpus_door

from lesionary.app.door import Door

SEED, CASES = 5, 20_000
GRAM = 7
"""So many letters of a name in a row are a leak, even where others were changed."""

LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
VRS = (
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF",
    "OL", "OV", "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN",
    "UR", "US", "UT", "UV",
)  # fmt: skip
CLASSES = tuple(
    f"1.2.840.10008.5.1.4.1.1.{end}"
    for end in ("2", "4", "128", "88.33", "88.59", "11.1", "481.3", "481.5", "66.1", "66.4", "67")
)
CHARSETS = (
    "", "ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "ISO 2022 IR 6\\ISO 2022 IR 87", "GB18030",
    "ISO_IR 13", "none such", "ISO_IR 192\\ISO_IR 100",
)  # fmt: skip
SOUND = {
    "AS": b"061Y", "CS": b"CHEST", "DA": b"20170302", "DS": b"1.5\\2.5", "DT": b"20170302091530",
    "IS": b"17", "LO": b"CT THORAX", "LT": b"left lung", "PN": b"Roe^Rae", "SH": b"axial",
    "TM": b"091530", "UI": b"1.2.826.0.1.99.1", "US": b"\1\0", "FD": b"\0\0\0\0\0\0\xf0\x3f",
    "UL": b"\1\0\0\0", "FL": b"\0\0\x80\x3f", "AT": b"\x10\0\x10\0",
}  # fmt: skip
_DEEPEST = 8


@dataclass(slots=True)
class Case:
    """One file, and the identities in it."""

    content: bytes
    names: list[str]


@dataclass(slots=True)
class Maker:
    """Makes one case; everything follows from its number.

    Parameters
    ----------
    seed, number : int
    """

    seed: int
    number: int
    chance: random.Random = field(init=False)
    mint: Mint = field(init=False)
    names: list[str] = field(default_factory=list)
    is_implicit: bool = False
    order: str = "<"

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}/{self.number}")  # noqa: S311 - no secret
        self.mint = Mint(self.chance.randrange(1 << 32))

    def case(self) -> Case:
        """Return the case."""
        chance = self.chance
        self.is_implicit = chance.random() < 0.3
        self.order = ">" if not self.is_implicit and chance.random() < 0.1 else "<"
        sop_class = chance.choice(CLASSES)
        elements = {
            0x00080005: ("CS", chance.choice(CHARSETS).encode()),
            0x00080016: ("UI", sop_class.encode()),
            0x00080018: ("UI", b"1.2.826.0.1.99.2"),
            0x00080060: ("CS", b"CT"),
            0x00100020: ("LO", self._identity("LO")),
            0x0020000D: ("UI", b"1.2.826.0.1.99.3"),
            0x0020000E: ("UI", b"1.2.826.0.1.99.4"),
        }
        elements |= {tag: value for tag, *value in self._elements(chance.randrange(1, 14), 0)}
        body = b"".join(
            self._encoded(tag, *elements[tag]) for tag in self._ordered(sorted(elements))
        )
        content = self._wrapped(body, sop_class)
        return Case(self._mutated(content), self.names)

    def _ordered(self, tags: list[int]) -> list[int]:
        if self.chance.random() < 0.05:
            self.chance.shuffle(tags)
        return tags

    def _elements(self, n: int, depth: int) -> Iterator[tuple[int, str, bytes]]:
        for _ in range(n):
            tag, vr = self._tag()
            if vr == "SQ":
                yield tag, vr, self._items(depth)
            elif self.chance.random() < 0.6:
                yield tag, vr, self._identity(vr)
            else:
                yield tag, vr, SOUND.get(vr, b"")

    def _tag(self) -> tuple[int, str]:
        chance = self.chance
        way = chance.random()
        if way < 0.7:
            tag, vr = chance.choice(_dictionary())
            vr = vr if chance.random() < 0.8 else chance.choice(VRS)
        elif way < 0.85:
            group = chance.choice((0x0009, 0x0019, 0x0029, 0x2005, 0x7053, 0x7FE1))
            block = chance.choice((0x0010, 0x0011, 0x1001, 0x1010, 0x10FF, 0x0001))
            tag, vr = group << 16 | block, chance.choice(VRS)
        else:
            tag, vr = chance.randrange(0x00080000, 0x7FDFFFFF), chance.choice(VRS)
        return (tag, vr) if tag >> 16 != 0x7FE0 else (0x00104000, "LT")

    def _identity(self, vr: str) -> bytes:
        chance = self.chance
        name = self.mint.word()
        self.names.append(name)
        if vr == "UI" and chance.random() < 0.5:
            number = self.mint.number(9)
            self.names.append(number)
            return f"1.2.826.0.1.{number}".encode()
        if vr in {"IS", "DS"} and chance.random() < 0.5:
            number = self.mint.number(12)
            self.names.append(number)
            return number.encode()
        is_text = vr in {"LO", "LT", "ST", "UT", "SH", "UC", "PN"}
        phrase = chance.choice(("{}", "CT {} axial", "{}^Rae", "Dr. {}", "liver\\{}", "{}\n{}"))
        text = (phrase if is_text else "{}").format(name, name)
        encoding = chance.choice(
            ("ascii", "ascii", "ascii", "utf-8", "utf-16le" if is_text else "ascii")
        )
        return text.encode(encoding)

    def _items(self, depth: int) -> bytes:
        if depth >= _DEEPEST:
            return b""
        parts = []
        for _ in range(self.chance.randrange(3)):
            inner = sorted(self._elements(self.chance.randrange(1, 4), depth + 1))
            value = b"".join(self._encoded(*element) for element in inner)
            is_open = self.chance.random() < 0.4
            length = 0xFFFFFFFF if is_open else len(value)
            parts.append(struct.pack(self.order + "HHL", 0xFFFE, 0xE000, length) + value)
            if is_open:
                parts.append(struct.pack(self.order + "HHL", 0xFFFE, 0xE00D, 0))
        return b"".join(parts)

    def _encoded(self, tag: int, vr: str, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        head = struct.pack(self.order + "HH", tag >> 16, tag & 0xFFFF)
        length, end = len(value), b""
        if vr == "SQ" and self.chance.random() < 0.5:
            length, end = 0xFFFFFFFF, struct.pack(self.order + "HHL", 0xFFFE, 0xE0DD, 0)
        if self.is_implicit:
            return head + struct.pack(self.order + "L", length) + value + end
        if vr in LONG:
            return head + vr.encode() + struct.pack(self.order + "HL", 0, length) + value + end
        return head + vr.encode() + struct.pack(self.order + "H", length & 0xFFFF) + value

    def _wrapped(self, body: bytes, sop_class: str) -> bytes:
        syntax = "1.2.840.10008.1.2" if self.is_implicit else "1.2.840.10008.1.2.1"
        syntax = "1.2.840.10008.1.2.2" if self.order == ">" else syntax
        parts = b""
        for number, vr, value in (
            (0x02, "UI", sop_class.encode()), (0x10, "UI", syntax.encode()),
            (0x16, "AE", self._identity("AE")), (0x0102, "OB", self._identity("OB")),
        ):  # fmt: skip
            padded = value + b"\0" * (len(value) % 2)
            head = struct.pack("<HH", 2, number) + vr.encode()
            size = struct.pack(
                "<HL" if vr in LONG else "<H", *((0,) if vr in LONG else ()), len(padded)
            )
            parts += head + size + padded
        preamble = self._identity("LO").ljust(128, b"\0")[:128]
        way = self.chance.random()
        if way < 0.05:
            return body
        tail = self._identity("LO") if way > 0.8 else b""
        length = struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(parts))
        return preamble + b"DICM" + length + parts + body + tail

    def _mutated(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 4))):
            if len(changed) > 140:
                self._mutate(changed)
        return bytes(changed)

    def _mutate(self, content: bytearray) -> None:
        chance = self.chance
        at = chance.randrange(132, len(content))
        way = chance.randrange(6)
        if way == 0:
            content[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            length = chance.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 17))
            content[at : at + 4] = struct.pack("<L", length)[: chance.choice((2, 4))]
        elif way == 2:
            content[at : at + 2] = chance.choice(VRS).encode()
        elif way == 3:
            del content[at:]
        elif way == 4:
            content[at:at] = content[max(132, at - chance.randrange(1, 60)) : at]
        else:
            tag = chance.choice(_dictionary())[0]
            content[at : at + 4] = struct.pack("<HH", tag >> 16, tag & 0xFFFF)


@cache
def _dictionary() -> Sequence[tuple[int, str]]:
    from pydicom._dicom_dict import DicomDictionary

    return [
        (tag, vr.split(" or ")[0])
        for tag, (vr, *_) in DicomDictionary.items()
        if tag >> 16 > 8 and tag >> 16 != 0x7FE0 and vr != "NONE"
    ] + [(tag, "LO") for tag in range(0x60000000, 0x60000100, 0x10)]


def fault_of(door: Door, case: Case, *, twice: bool) -> tuple[str, str]:
    """Return the outcome, and what is wrong with it: the empty text where nothing is."""
    taken = door.take(case.content)
    label = f"{taken.outcome.value} {taken.code}".strip()
    content = content_of(taken)
    said = f"{taken.code} {taken.reason} {taken.hint} {taken!r}".encode()
    everything = OWN_UID.sub(b"", said + content).lower()
    for name in case.names:
        text = name.lower().encode()
        size = len(text) if name.isdigit() else GRAM  # of a number, a part may be a number
        grams = {text[at : at + size] for at in range(max(1, len(text) - size + 1))}
        wide = name.encode("utf-16le").lower()
        if wide in everything or any(gram in everything for gram in grams):
            return label, f"LEAK of {name}"
    if twice and content and content_of(door.take(content)) != content:
        return label, "another file when it comes again"
    return label, ""


def run(cases: Sequence[int], seed: int = SEED) -> tuple[Counter[str], list[str]]:
    """Run cases; return how often each outcome came, and the faults by number."""
    door, outcomes, faults = corpus_door(), Counter[str](), []
    for number in cases:
        case = Maker(seed, number).case()
        try:
            label, fault = fault_of(door, case, twice=number % 4 == 0)
        except Exception as error:  # noqa: BLE001 - what a fuzz test is for
            label, fault = "CRASH", f"{type(error).__name__}: {error}"
        outcomes[label] += 1
        if fault:
            faults.append(f"case {number}: {label}: {fault}")
    return outcomes, faults


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Run and tell; return 0 where nothing was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz_deidentify", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", type=int, help="run this case alone")
    options = parser.parse_args()
    cases = [options.only] if options.only is not None else range(options.cases)
    start = time.monotonic()
    outcomes, faults = run(cases, options.seed)
    for fault in faults:
        _say(fault)
    for label, n in outcomes.most_common():
        _say(f"{n:8d} {label}")
    _say(f"{len(cases)} cases in {time.monotonic() - start:.0f} s, {len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
