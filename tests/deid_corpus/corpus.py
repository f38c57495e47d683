"""The whole corpus: made from a seed, written into a folder."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from .base import Person, Workshop
from .closed import all_closed
from .draft import QUARANTINED, REFUSED, RELEASED, Draft, Kept
from .glued import glued, lookalikes
from .identities import Token
from .images import compressed, ct, enhanced, mr, numbers, overlays, pet, slices, uids
from .objects import all_objects
from .odd import beside, codes, nested, obfuscated, people, private, unknown

__all__ = ["QUARANTINED", "REFUSED", "RELEASED", "Corpus", "CorpusFile", "make_corpus"]

SEED = 4711
ARCHIVE, TWIN = "archive.zip", "patients/another content"

CHARSETS: tuple[tuple[str | tuple[str, ...], str], ...] = (
    ("ISO_IR 100", "latin"), ("ISO_IR 101", "latin2"), ("ISO_IR 109", "latin3"),
    ("ISO_IR 110", "latin4"), ("ISO_IR 144", "cyrillic"), ("ISO_IR 127", "arabic"),
    ("ISO_IR 126", "greek"), ("ISO_IR 138", "hebrew"), ("ISO_IR 148", "latin5"),
    ("ISO_IR 203", "latin9"), ("ISO_IR 166", "thai"), ("ISO_IR 13", "katakana"),
    ("ISO_IR 192", "hanzi"), ("GB18030", "hanzi"), ("GBK", "hanzi"),
    (("", "ISO 2022 IR 87"), "kanji"), (("ISO 2022 IR 13", "ISO 2022 IR 87"), "kanji"),
    (("", "ISO 2022 IR 149"), "hangul"), (("", "ISO 2022 IR 58"), "hanzi"),
    (("", "ISO 2022 IR 100", "ISO 2022 IR 144"), "cyrillic"),
)  # fmt: skip

CODECS = {"latin9": "iso8859-15", "katakana": "shift_jis", "kanji": "iso2022_jp"}
"""What pydicom does not encode, or not in every element."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file: what is in it, what has to become of it."""

    path: str
    content: bytes
    outcome: str
    tokens: tuple[Token, ...]
    kept: tuple[Kept, ...]

    @property
    def is_twin(self) -> bool:
        """Whether it has another's SOPInstanceUID: only who has seen both can tell."""
        return self.path == TWIN


@dataclass(frozen=True, slots=True)
class Corpus:
    """All files and all tokens."""

    seed: int
    files: tuple[CorpusFile, ...]

    @property
    def tokens(self) -> list[Token]:
        """Every token once, where it stands first."""
        first: dict[str, Token] = {}
        for file in self.files:
            for token in file.tokens:
                first.setdefault(token.text, token)
        return list(first.values())

    def write(self, folder: Path) -> Path:
        """Write the files; the last three of those released lie in an archive."""
        packed = io.BytesIO()
        archived = {file.path for file in self._archived()}
        with zipfile.ZipFile(packed, "w") as archive:
            for file in self.files:
                if file.path in archived:
                    archive.writestr(file.path, file.content)
                    continue
                path = folder / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content)
        (folder / ARCHIVE).write_bytes(packed.getvalue())
        return folder

    def _archived(self) -> Iterator[CorpusFile]:
        return (file for file in self.files if file.path.startswith("zipped"))


def make_corpus(seed: int = SEED) -> Corpus:
    """Make the corpus of a seed; other seeds make other people in the same places."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what pydicom thinks of names in the wrong places
        return _made(seed)


def _made(seed: int) -> Corpus:
    shop = Workshop(seed)
    mint = shop.mint
    first = shop.person(mint.western(), "ISO_IR 192", issuer=mint.word())
    images = slices(shop, first)
    all_objects(shop, first, images)
    second = shop.person(mint.western(), "ISO_IR 192")
    mr(shop, second, "mr/slice")
    for make in (nested, private):
        make(shop, second)
    pet(shop, shop.person(mint.western(), "ISO_IR 192"))
    third = shop.person()
    for number, kind in enumerate(("ct", "mr", "pet"), 26):
        enhanced(shop, third, kind, number)
    syntaxes = (JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless, RLELossless)
    for number, syntax in enumerate(syntaxes, 81):
        compressed(shop, third, syntax, number)
    for build in (overlays, numbers, uids, unknown, beside, people, obfuscated, codes):
        build(shop, third)
    all_closed(shop, third)
    glued(shop)
    lookalikes(shop)
    _charsets(shop)
    _patients(shop, first)
    return Corpus(seed, tuple(map(_file, shop.drafts)))


def _file(draft: Draft) -> CorpusFile:
    return CorpusFile(
        draft.path, draft.content(), draft.outcome, tuple(draft.tokens), tuple(draft.kept)
    )


def _charsets(shop: Workshop) -> None:
    for number, (charset, script) in enumerate(CHARSETS):
        mint = shop.mint
        family = "".join(("Gö", mint.word(), "ß")) if script == "latin" else mint.foreign(script)
        name = f"{mint.word()}={family}" if script in {"kanji", "hangul", "hanzi"} else family
        person = shop.person(name, charset)
        draft = ct(shop, person, f"charsets/{number:02d}", 0, series=1, study=20 + number)
        draft.forget("InstitutionName")
        for tag, vr, keyword in (
            (0x00080080, "LO", "InstitutionName"), (0x00104000, "LT", "PatientComments"),
            (0x00101001, "PN", "OtherPatientNames"),
        ):  # fmt: skip
            text = "".join(("Ä", mint.word())) if script == "latin" else mint.foreign(script)
            draft.token(text, "name", keyword)
            if script in CODECS:
                draft.put(tag, vr, f"liver {text}".encode(CODECS[script]))
            else:
                setattr(draft.data_set, keyword, f"liver {text}")
        if script in CODECS:
            draft.put(0x00100010, "PN", name.encode(CODECS[script]))


def _patients(shop: Workshop, first: Person) -> None:
    """Make a duplicate with other content, one without a patient, one patient under two IDs."""
    twin = ct(shop, first, TWIN, 0)
    twin.data_set.ImageComments = draft_word(twin)
    twin.data_set.PixelData = twin.data_set.PixelData[::-1]
    twin.outcome = QUARANTINED
    nobody = ct(shop, shop.person(), "patients/nobody", 0, series=90, study=90)
    del nobody.data_set.PatientID
    nobody.tokens = [token for token in nobody.tokens if token.place != "PatientID"]
    alias = Person(first.name, shop.mint.code(), first.birth)
    ct(shop, alias, "patients/second id", 0, series=91, study=91)
    member = shop.mint.word()
    for k in range(2):
        draft = ct(shop, first, f"zipped {member}/IM{k}", k, series=92)
        draft.token(member, "name", "archive member's name")


def draft_word(draft: Draft) -> str:
    """Plant a family name in a comment."""
    return draft.word("ImageComments")
