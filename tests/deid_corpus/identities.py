"""Invented people, of many cultures, each token of them once and in one place only.

Another seed makes other people: rules must hold for all of them, so nothing here is a list that
anybody could learn by heart. Half of the names are made of syllables, half are those of a phone
book.
"""

import random as chance
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

GIVEN = (
    "Friederike",
    "Torvald",
    "Oluwaseun",
    "Xiomara",
    "Guillermo",
    "Katarzyna",
    "Bronisława",
    "Þorbjörg",
    "Anneliese",
    "Dimitrios",
    "Siobhán",
    "Ngozi",
    "Rajesh",
    "Priyanka",
    "Mehmet",
    "Ayşegül",
    "Zsófia",
    "Václav",
    "Jürgen",
    "François",
    "Maëlle",
    "Ingeborg",
    "Nguyễn",
)
FAMILY = (
    "Wiśniewski",
    "Papadopoulos",
    "Okonkwo",
    "Müllerschön",
    "Brzęczyszczykiewicz",
    "Fernández",
    "O'Shaughnessy",
    "Vandenberghe",
    "Kowalczyk",
    "Yıldırım",
    "Þorsteinsson",
    "Škvorecký",
    "Subramaniam",
    "Hämäläinen",
    "Krawczyk",
    "Lindqvist",
    "Grünwald",
    "Østergaard",
    "Delacroix",
    "Ramakrishnan",
    "Zanetti",
    "Quispe",
    "Nakamura",
    "Adebayo",
)
_ONSETS = [
    "br",
    "bl",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "sch",
    "sk",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ei", "ou"]
_CODAS = [
    "ck",
    "ff",
    "ld",
    "lm",
    "ln",
    "lt",
    "mb",
    "nd",
    "ng",
    "nk",
    "nz",
    "rg",
    "rk",
    "rl",
    "rn",
    "rt",
    "sk",
    "sz",
    "tz",
    "x",
]
_ENDS = [
    "berg",
    "dottir",
    "eau",
    "enko",
    "escu",
    "ez",
    "ian",
    "ides",
    "ikov",
    "mann",
    "nen",
    "oglu",
    "sen",
    "ska",
    "son",
    "wicz",
]
_STREETS = ("Birkenweg", "Rue du Moulin", "Ulica Lipowa", "Calle Mayor", "Maple Crescent")
_SITES = ("Klinikum", "Hospital", "Hôpital", "Szpital", "Ospedale", "Sjukhuset")

GENERIC = frozenset(" ".join((*_STREETS, *_SITES, "https example org")).casefold().split())
"""Words of addresses that tell nothing by themselves."""

FOREIGN = {
    "cyrillic": "абвгдежзиклмнопрстуфхцчшэюя",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "thai": "กขคงจชซดตถทนบปพฟมยรลวสหอ",
    "kanji": "山田太郎佐藤鈴木高橋渡辺伊東加藤吉村松本井上木林清水崎森池阿部石川前藤後小野",
    "katakana": "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛ",
    "hangul": "김희중박서준이민정최영수강윤조장임한오신권황안송류전홍고문양손배백허남심노",
    "hanzi": "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕",
    "latin2": "abcdefghijklmnopqrstuvwxyząćęłńóśźżčďěňřšťůž",
    "latin3": "abdefghijklmnoprstuvzĉĝĥĵŝŭ",
    "latin4": "abdefghijklmnoprstuvzāčēģīķļņšūž",
    "latin5": "abcçdefgğhıijklmnoöprsştuüvyz",
    "latin9": "abcdefghijklmnopœšžÿ",
}


@dataclass(frozen=True, slots=True)
class Token:
    """Something that would tell who a patient is, and where it was put.

    Parameters
    ----------
    text : str
    kind : str
        ``name``, ``number``, ``date``, ``address`` …
    file : str
        Path in the corpus.
    place : str
        Where in the file.
    is_obfuscated : bool
        Split, turned round or encoded: a human reads it, a search for the name may not.
    """

    text: str
    kind: str
    file: str
    place: str
    is_obfuscated: bool = False


@dataclass(slots=True)
class Mint:
    """Makes identities; no two share a word of four letters or a number."""

    seed: int
    taken: set[str] = field(default_factory=set)
    random: chance.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = chance.Random(self.seed)  # noqa: S311 - no secret

    def _fresh(self, make: Callable[[], str]) -> str:
        while True:
            text = make()
            if text.casefold() not in self.taken:
                self.taken.add(text.casefold())
                return text

    def word(self) -> str:
        """Return an invented family name in ASCII."""

        def make() -> str:
            parts = [self._pick(_ONSETS), self._pick(_VOWELS), self._pick(_CODAS)]
            parts += [self._pick(_VOWELS), self._pick(_ENDS)]
            return "".join(parts).capitalize()

        return self._fresh(make)

    def name(self) -> str:
        """Return a person as DICOM writes one, in ASCII."""
        return f"{self.word()}^{self.word()}"

    def western(self) -> str:
        """Return a person of a phone book, perhaps with diacritics, and an invented second name."""
        given = self._pick(GIVEN)
        return f"{self._once(FAMILY)}^{given if self.random.random() < 0.2 else self.word()}"

    def _once(self, names: Sequence[str]) -> str:
        left = [name for name in names if name.casefold() not in self.taken]
        if not left:
            return self.word()
        name = self._pick(left)
        self.taken.add(name.casefold())
        return name

    def foreign(self, script: str) -> str:
        """Return a person written in a script: six letters, or three characters."""
        letters = FOREIGN[script]
        n_letters = 3 if script in {"kanji", "hangul", "hanzi"} else 6
        draw = self.random.sample
        return self._fresh(lambda: "".join(draw(letters, n_letters)))

    def number(self, n_digits: int = 8) -> str:
        """Return a number of a record, an order, a device."""
        low = 10 ** (n_digits - 1)
        return self._fresh(lambda: str(self.random.randrange(low, 10 * low)))

    def code(self) -> str:
        """Return a number with letters, as hospitals write them."""
        return f"{self.word()[:2].upper()}{self.number(7)}"

    def birth(self) -> str:
        """Return a date of birth, ``YYYYMMDD``, long before any study's."""
        draw = self.random.randrange
        return self._fresh(lambda: f"{draw(1921, 1985)}{draw(1, 13):02d}{draw(1, 29):02d}")

    def phone(self) -> str:
        """Return a telephone number in groups."""
        number = self.number(11)
        return f"+{number[:2]} {number[2:5]} {number[5:]}"

    def email(self) -> str:
        """Return an address of electronic mail."""
        return f"{self.word().lower()}@{self.word().lower()}.org"

    def url(self) -> str:
        """Return an address of a page."""
        return f"https://{self.word().lower()}.example/{self.word().lower()}"

    def address(self) -> str:
        """Return where somebody lives."""
        return f"{self._pick(_STREETS)} {self.word()} {self.number(7)}"

    def site(self) -> str:
        """Return a hospital."""
        return f"{self._pick(_SITES)} {self.word()}"

    def _pick(self, options: Sequence[str]) -> str:
        return self.random.choice(options)
