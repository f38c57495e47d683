"""Made-up people in many languages, in texts as somebody might have typed them."""

import random
import re
from collections.abc import Iterator

from faker import Faker

from lesionary.ingest.deidentify.vocabulary import folded

# fmt: off
LOCALES = [
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "es_MX", "it_IT", "pt_BR", "nl_NL", "pl_PL",
    "cs_CZ", "sv_SE", "da_DK", "fi_FI", "hu_HU", "ro_RO", "hr_HR", "tr_TR", "el_GR", "ru_RU",
    "he_IL", "ar_AA", "en_IN", "vi_VN", "id_ID", "zh_CN", "ja_JP", "ko_KR",
]
# fmt: on
DESCRIPTIONS = [
    "CT CHEST W/O CONTRAST 5.0 B30f",
    "T2 TSE AX FS",
    "PET WB 3D MAC",
    "GTV_Mass",
    "DWI b=1000",
    "Thorax^1_Routine (Adult)",
    "Segment 1",
    "Liver lesion",
    "ABDOMEN mit KM",
    "MR HEAD",
]  # fmt: skip
TEXTS = [
    "{name} {text}", "{text} {name}", "{text}, {name}, MRN {number}", "{last}^{first} {text}",
    "{text}_{last}_{number}", "Pat. {name} geb. {day} {text}", "{name} {address} {phone} {text}",
    "{text} ref by Dr. {last}", "{mail} {text}", "{first}{last}{text}", "{text} {last}", "{last}",
    "{name}", "{first} {number} {phone}", "{shout}-{text}", "{text} [{last}, {first}] {day}",
    "{text}\n{address}\ntel. {phone}", "https://{host}/{first} {text}", "{text}{number}",
]  # fmt: skip


def planted(seed: int, n_texts: int) -> Iterator[tuple[str, set[str]]]:
    """Yield texts, and of each the words and long numbers that must not come through."""
    draw = random.Random(seed)  # noqa: S311
    people = [Faker(locale) for locale in LOCALES]
    for one in people:
        one.seed_instance(seed)
    for _ in range(n_texts):
        text, template = draw.choice(DESCRIPTIONS), draw.choice(TEXTS)
        parts = identity(draw, draw.choice(people))
        used = [value for key, value in parts.items() if "{" + key + "}" in template]
        secret = set().union(*map(tokens, used)) - tokens(text)
        yield template.format(text=text, **parts), secret


def identity(draw: random.Random, fake: Faker) -> dict[str, str]:
    last = fake.last_name()
    numbers = ("########", "###-##-####", "## ## ##", "### ### ###", "##-##-##", "#.###.###")
    days = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%d %b %Y", "%B %d, %Y", "%Y%m%d", "%d%b%y")
    return {
        "name": fake.name(), "first": fake.first_name(), "last": last, "shout": last.upper(),
        "number": fake.numerify(draw.choice(numbers)), "day": fake.date(draw.choice(days)),
        "phone": fake.phone_number(), "mail": fake.email(), "host": fake.hostname(),
        "address": fake.address(),
    }  # fmt: skip


def tokens(text: str) -> set[str]:
    """Return words of three letters or more and numbers of four digits or more."""
    return set(re.findall(r"[^\W\d_]{3,}|[0-9]{4,}", folded(text)))
