"""The allow-list of words: what no name can come through, and what must."""

import importlib
import pkgutil
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from ingest.deidentify.identities import LOCALES, planted, tokens
from lesionary.core.terms import NODAL_REGIONS, ORGANS
from lesionary.ingest.deidentify import words as words_module
from lesionary.ingest.deidentify.chunks import Kind, judge
from lesionary.ingest.deidentify.neighbours import kept
from lesionary.ingest.deidentify.values import clean_text
from lesionary.ingest.deidentify.vocabulary import folded, package_sections, package_vocabulary
from lesionary.ingest.deidentify.words import LETTERS_READ, ROUNDS, Words

WORDS = Words()
DESCRIPTIONS = Path(__file__).with_name("descriptions.txt").read_text("utf-8").splitlines()
SECTIONS = package_sections()
NAMES_THAT_STAY = (
    SECTIONS["needed"] | SECTIONS["body"] | SECTIONS["shy"] | set(package_vocabulary().company)
)
"""The exceptions: words of this field that are names too, listed one by one."""

ADDRESS_WORDS = {"NECK", "AREA", "RADIAL", "RAPID"}
"""What Faker builds streets of, and this field bodies and pictures."""

texts = st.text() | st.lists(
    st.sampled_from(
        [*DESCRIPTIONS, "Smith", "^", "_", " ", "12", "345", "2020", "Mar", "(", "é", "\u200b"]
    )
).map("".join)


@pytest.mark.parametrize("text", DESCRIPTIONS)
def test_a_description_without_a_name_stays_as_it_is(text):
    assert WORDS.clean(text) == text


@pytest.mark.parametrize("place", sorted(ORGANS | NODAL_REGIONS))
def test_labels_of_the_vocabulary_stay(place):
    assert WORDS.clean(f"m,{place}") == f"m,{place}"


@given(texts)
def test_cleaning_twice_changes_nothing(text):
    assert WORDS.clean(WORDS.clean(text)) == WORDS.clean(text)


@given(texts)
def test_nothing_but_allowed_words_comes_out(text):
    vocabulary = package_vocabulary()
    for word in re.findall(r"[^\W_]+(?:\.[0-9]+)*", WORDS.clean(text)):
        assert judge(word, vocabulary).kind not in {Kind.DROPPED, Kind.MONTH}


@given(texts)
def test_letters_are_never_added(text):
    assert not Counter(tokens(WORDS.clean(text))) - Counter(tokens(_normal(text)))


@given(st.text(alphabet=string.ascii_letters + "éüßñč", min_size=3), st.sampled_from(DESCRIPTIONS))
def test_an_unknown_word_beside_a_description_goes(word, text):
    if judge(word, package_vocabulary()).kind is Kind.DROPPED:
        assert word not in WORDS.clean(f"{text} {word}").split()


@pytest.mark.parametrize("seed", range(3))
def test_no_word_of_a_planted_identity_comes_through(seed):
    leaked = Counter()
    for text, secret in planted(seed, 2000):
        leaked.update((tokens(WORDS.clean(text)) & secret) - NAMES_THAT_STAY - ADDRESS_WORDS)
    assert not leaked


def test_names_that_stay_come_through_seldom():
    """The listed exceptions are names of few: less than one planted text in a thousand has one."""
    n_leaks = sum(bool(tokens(WORDS.clean(text)) & secret) for text, secret in planted(7, 5000))
    assert n_leaks < 5


def test_no_frequent_surname_is_on_the_list_but_where_it_is_watched():
    """Of the words that stay always none is a name that Faker draws for anybody."""
    people = Faker(LOCALES)
    people.seed_instance(11)
    drawn = Counter(folded(draw()) for draw in (people.last_name, people.first_name) * 5000)
    always = SECTIONS["plain"] | SECTIONS["standard"] | SECTIONS["colours"]
    watched = {"BLACK", "BROWN", "GRAY", "GREEN", "GREY", "ORANGE", "PINK", "RED", "WHITE"}
    short = {name for name in drawn if len(name) < 3}
    assert set(drawn) & always <= watched | short


def test_no_name_of_any_language_is_a_plain_word():
    vocabulary = package_vocabulary()
    plain = {name for name in _all_names() if judge(name, vocabulary).kind is Kind.WORD}
    assert {folded(name) for name in plain} <= NAMES_THAT_STAY


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-02",
        "2020/01/02",
        "02.01.20",
        "2.1.2020",
        "01/02/20",
        "20200102",
        "12 Mar",
        "12. März 2020",
        "March 12, 2020",
        "12MAR2020",
        "12mar20",
        "12 de março de 2020",
        "Mai 2020",
        "3 oct",
        "12 set 2020",
        "12:30",
        "12:30:45",
        "12h30",
        "10.30 Uhr",
        "12/25",
    ],
)
def test_no_date_and_no_time_stays(text):
    cleaned = WORDS.clean(f"CT {text} CHEST")
    assert not re.search("[0-9]", cleaned)
    assert {"CT", "CHEST"} <= set(cleaned.split()) <= {"CT", "CHEST", "de"}


@pytest.mark.parametrize(
    "number",
    [
        "0012345",
        "1234",
        "123 456 789",
        "12-34-56",
        "123-45-6789",
        "(030) 123 456",
        "555-0123",
        "+49 30 1234",
        "01.23.45.67.89",
        "1,234,567",
        "12.34.56.78",
        "A1234567",
        "AB12C34D56",
        "007",
        "CT123",
        "A123",
        "HN-012",
        "192.168.1.10",
        "1.2.840.10008.1",
        "٣٤٥٦٧",
        "1234\u200b567",
        "１２３４５",
        "12345²",
    ],
)
def test_no_number_of_a_person_stays(number):
    assert not re.search(r"[^\W_a-zA-Z]", WORDS.clean(f"LIVER {number} CT"))


@pytest.mark.parametrize(
    "text",
    [
        "john@liver.org",
        "https://liver.org/chest",
        "www.liver.ct",
        "liver.chest.org",
        "pacs.lung.local",
        "\\\\chest\\liver\\lung",
        "C:\\chest\\lung",
        "/chest/lung/liver",
    ],
)
def test_addresses_go_even_if_all_their_words_are_allowed(text):
    assert WORDS.clean(f"CT {text} HEAD") == "CT HEAD"


@pytest.mark.parametrize(
    "text",
    [
        "Sm\u200bith",
        "Ｓｍｉｔｈ",
        "Ѕmith",
        "SmItH",
        "S\u0308mith",
        "Smíth",
        "sm\u00adith",
        "史密斯",
        "سميث",
        "Smith-Jones",
        "O'Brien",
        "McSmith",
        "vanDerSmith",
        "Smith12",
        "12Smith",
        "Sm\ufffdith",
        "SMI\x00TH",
        "Chest\ufffdman",
        "ChestSmith",
        "LIVERSMITH",
        "Lung-Smith",
    ],
)
def test_no_disguise_of_a_name_helps(text):
    assert WORDS.clean(text) in {"", "Lung"}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Long, Mary", ""),
        ("CHEST Long", "CHEST"),
        ("LONG AXIS cine", "LONG AXIS cine"),
        ("Hand", "Hand"),
        ("Hand^Robert", ""),
        ("Hand Smith CT", "CT"),
        ("HAND XR", "HAND XR"),
        ("Dr. Hand", ""),
        ("Mr Hand CT", "CT"),
        ("HAND^CHIN", ""),
        ("Post", ""),
        ("T1 POST", "T1 POST"),
        ("gray matter", "gray matter"),
        ("Gray CT", "CT"),
        ("Max Art", ""),
        ("J. Doe CHEST R", "CHEST R"),
        ("CHEST, Doe, ABDOMEN", "CHEST, ABDOMEN"),
        ("CT (Doe) (Adult)", "CT Adult"),
        ("(Doe CT", "CT"),
        ("GTV_Doe_2", "GTV_2"),
        ("120 kV Doe", "120 kV"),
        ("Doe 120", ""),
        ("liver\nDoe\nlung", "liver\nlung"),
        ("b=1987 CT", "CT"),
        ("b 123 456 789", ""),
        ("b50_400_1500", "b50_400_1500"),
        ("12345 mm", "mm"),
        ("2200 ms", "2200 ms"),
        ("92Y chest", "chest"),
        ("Schädel", "Schädel"),
        ("ＣＴ ﬁlter", "CT filter"),
        ("", ""),
        ("---", ""),
        (" CT ", "CT"),
        ("CT \U0001f600 X", "CT   X"),
    ],
)
def test_words_are_judged_by_their_neighbours(text, cleaned):
    assert WORDS.clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "94F", "F94", "94 F", "M 94", "94 M", "90+ female", "male 91", "94 lat", "9 4 year old",
        "94 y/o", "94 yo", "94yo", "94yof", "94.5 years", "92-year-old", "aged 97", "101 y", "94W",
    ],
)  # fmt: skip
def test_no_age_above_89_stays(text):
    assert not re.search("[0-9]", WORDS.clean(f"CT {text} CHEST"))


@pytest.mark.parametrize(
    "text",
    [
        "DOB 3/64", "DOB 03 64", "03/64", "03-64", "3 / 64", "14.05", "31.12", "12.03.", "17.5.",
        "12. 3.", "20/19", "5-17", "03.64", "'19", "’19", "1/2/3", "1-2-3", "geb. 23 Oct 1994",
        "born 64", "Date 4", "03 64", "03_64", "12,03", "12|03", "3. 5.",
    ],
)  # fmt: skip
def test_no_piece_of_a_date_stays(text):
    assert WORDS.clean(f"CT {text} CHEST") == "CT CHEST"


@pytest.mark.parametrize(
    "text",
    [
        "2.5", "5.0", "0.625", "1.25", "3.75", "10.0", "1/2", "30-80%", "b=0-50", "14.05 mm",
        "1024x768",
    ],
)  # fmt: skip
def test_lengths_and_shares_are_no_dates(text):
    assert WORDS.clean(f"CT {text} CHEST") == f"CT {text} CHEST"


@pytest.mark.parametrize(
    "text",
    [
        "MRN 12 ms", "MRN 4711 ms", "MRN 12.345", "MRN: T 123", "S/N 123", "SN 12", "ID 1", "ID12",
        "ID no 3", "#123", "No. 47", "acc# A-12-3", "Tel 555 x 3", "1.23456789x2", "1234x5678",
        "51.5, -0.12", "48.85, 2.35", "51.5N 0.12W", "-0.12, 51.50",
        "51.5 N, 0.12 W", "51°30'", "GPS 51.5", "123x456x789", "C12D34",
    ],
)  # fmt: skip
def test_no_number_behind_a_label_and_no_place_stays(text):
    assert not re.search("[0-9]", WORDS.clean(f"CT {text} CHEST"))


@pytest.mark.parametrize("text", ["NODULE #2", "lesion no 2", "patient 3", "R. lung", "Lung, R"])
def test_counts_and_sides_stay(text):
    assert WORDS.clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("J.S. CT chest", "CT chest"),
        ("J. CT chest", "CT chest"),
        ("F. Chin", ""),
        ("CT F. Chin", "CT"),
        ("Chin, F", ""),
        ("CT Chin, F", "CT"),
        ("Lung^Anna", ""),
        ("Colon, Maria", ""),
        ("Hand^Anna CT", "CT"),
        ("Ko Te", ""),
        ("Na", ""),
        ("Ta, Ko", ""),
        ("Ko^Ta CT", "CT"),
        ("TE CT", "TE CT"),
    ],
)
def test_initials_and_short_names_go(text, cleaned):
    assert WORDS.clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("patient: Hand CT", "patient CT"),
        ("ref. by Small CT", "ref. by CT"),
        ("radiologist: Port CT", "radiologist CT"),
        ("patient male CT", "patient male CT"),
        ("Hr. Kopf CT", "CT"),
        ("Hr Kopf CT", "CT"),
        ("Sr. Port CT", "CT"),
        ("Hand's CT", "CT"),
        ("Port’s liver", "liver"),
        ("A B Port CT", "CT"),
        ("A P view CT", "A P view CT"),
    ],
)
def test_names_beside_people_go_even_if_they_are_words(text, cleaned):
    assert WORDS.clean(text) == cleaned


@pytest.mark.parametrize(
    "text", ["J o h n", "J-o-h-n", "J_o_h_n S_m_i_t_h", "S/m/i/t/h", "L e v y"]
)
def test_a_name_that_is_spelled_goes(text):
    assert WORDS.clean(f"CT {text} CHEST") == "CT CHEST"


@pytest.mark.parametrize("text", ["CT C/A/P W/O", "CT_C_A_P_W_CON", "P/P A/P, RENAL", "R L A"])
def test_letters_that_stand_in_a_row_by_habit_stay(text):
    assert WORDS.clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "twenty-first of May", "May first", "elfter März", "second of may", "5th Dec", "Nov 1st",
        "sept 9th", "4th of July", "nineteen sixty four", "two thousand ten", "four seven one one",
        "one two three four five", "cinq six sept", "eins zwei drei",
    ],
)  # fmt: skip
def test_no_date_and_no_number_in_words_stays(text):
    assert set(WORDS.clean(f"CT {text} CHEST").split()) <= {"CT", "CHEST", "of"}


@pytest.mark.parametrize("text", ["dyn 1st pass", "two phase", "first pass", "one of three"])
def test_single_numerals_stay(text):
    assert WORDS.clean(f"CT {text} CHEST") == f"CT {text} CHEST"


@pytest.mark.parametrize("text", ["R2D2", "0B6", "A12 B34 C56", "A1 B2 C3 D4 E5", "E9F8"])
def test_codes_of_single_letters_and_digits_go(text):
    assert WORDS.clean(f"CT {text} CHEST") == "CT CHEST"


@pytest.mark.parametrize("text", ["L4L5", "T12L1", "L1 L2 L3 L4 L5", "T1 T2 C3", "W400 L40"])
def test_levels_of_the_spine_and_windows_are_no_codes(text):
    assert WORDS.clean(f"CT {text} CHEST") == f"CT {text} CHEST"


ROI_NAMES = (
    "GTV-1 GTVp GTVn PTV_60 PTV_6600 PTV5040 PTV_70Gy CTV_High Lung_L Lungs-GTV SpinalCord_PRV05 "
    "Parotid_R Glnd_Submand_L Musc_Constrict OpticNrv_L OpticChiasm Cochlea_L Bag_Bowel BowelBag "
    "Femur_Head_L Cavity_Oral PenileBulb BrachialPlex_L A_LAD V_Venacava_S Joint_TM_L LN_Neck_IB_L "
    "SeminalVes PubicSymphys Bone_Hyoid Sinus_Ethmoid Lobe_Temporal_L VB_T10 Eval_PTV Lung_LUL "
    "GreatVes CaudaEquina Chestwall_L Glnd_Lacrimal_L SacralPlex VocalCord Cricopharyngeus"
)


@pytest.mark.parametrize("name", ROI_NAMES.split())
def test_names_of_structures_stay(name):
    assert WORDS.clean(name) == name


@pytest.mark.parametrize("text", ["PTV 1964", "PTV_1950", "PTV_4711", "PTV_47110", "liver_6600"])
def test_only_a_dose_may_stand_behind_a_volume(text):
    assert not re.search("[0-9]", WORDS.clean(text))


HOSTILE = [
    "a.", "a.x ", ".", "@", "@ a", "a@", "www.", "x:// ", "/a", " /a/", "\\", "(", "()", "([ ",
    "1 ", "1 2.5 ", "12, ", "a b ", "a. ", "hand ", "hand^", "HAND, J ", "CT Doe ", "12 Doe ",
    "CT 1 Doe 2 ", "#1", "MRN 1 ", "b 0 ", "may 1 ", "9 4 year ", "a\u0301\u0327", "\ufdfa", "-",
    "w/o", "1.", "1", "a", "liver", "1x", " ", "\n", "\u1100\u1161", "\ud800", "^ ", "Na ",
]  # fmt: skip


class _Counting(Words):
    """Words that count how many letters were cleaned in all."""

    n_letters = 0

    def _clean_once(self, text: str) -> str:
        self.n_letters += len(text)
        return super()._clean_once(text)


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_on_a_hostile_text_is_bounded_by_its_length(piece):
    words = _Counting()
    cleaned = words.clean(piece * (1_000_000 // len(piece)))
    assert words.n_letters <= ROUNDS * LETTERS_READ
    assert words.clean(cleaned) == cleaned


@given(st.lists(st.sampled_from(HOSTILE), max_size=40).map("".join))
def test_cleaning_a_hostile_text_twice_changes_nothing(text):
    assert WORDS.clean(WORDS.clean(text)) == WORDS.clean(text)


def test_rows_of_names_are_looked_at_once():
    """The chunks asked for grow as the text does, and no faster."""

    class Counted(list):
        n_asked = 0

        def __getitem__(self, at):
            self.n_asked += 1
            return super().__getitem__(at)

    asked = []
    for n_chunks in (1000, 2000):
        chunks = Counted([judge("hand", package_vocabulary())] * n_chunks)
        kept(chunks, [""] + [" "] * (n_chunks - 1) + [""])
        asked.append(chunks.n_asked)
    assert asked[1] <= 2 * asked[0] + 10


def test_a_text_that_never_settles_keeps_its_plain_words_only(monkeypatch):
    monkeypatch.setattr(words_module, "ROUNDS", 0)
    words = Words()
    assert words.clean("CHEST 5.0 hand Smith liver") == "CHEST liver"


def test_what_lies_beyond_the_letters_read_goes_with_the_word_that_is_cut():
    text = "CT " * (LETTERS_READ // 3) + "chest"
    assert set(WORDS.clean(text).split()) == {"CT"}
    assert WORDS.clean("chest" * LETTERS_READ) == ""


@pytest.mark.parametrize("vr", ["LO", "UC"])
def test_a_value_of_many_parts_is_read_no_further_than_one_text(vr):
    cleaned = clean_text(b"liver\\" * LETTERS_READ, vr, [], WORDS)
    assert 0 < len(cleaned) <= LETTERS_READ
    assert clean_text(cleaned, vr, [], WORDS) == cleaned


def test_a_token_longer_than_any_word_goes_whole():
    assert WORDS.clean("CT " + "_".join(["liver"] * 100) + " CHEST") == "CT CHEST"


def test_extra_words_of_a_study_stay():
    words = Words(["Smithfield Nodule", "Ösophagus"])
    assert words.clean("smithfield ösophagus Smith") == "smithfield ösophagus"
    assert WORDS.clean("Smithfield") == ""


def test_the_list_has_the_size_it_should_and_no_word_twice():
    vocabulary = package_vocabulary()
    assert 2000 < len(vocabulary.plain) < 6500
    assert not vocabulary.plain & (vocabulary.shy | vocabulary.body | set(vocabulary.company))
    assert all(folded(word) == word for word in vocabulary.plain)


@pytest.mark.slow
def test_nine_in_ten_words_of_public_descriptions_stay():
    """The 500 most frequent descriptions of the Imaging Data Commons, whose texts are public."""
    package = pytest.importorskip("idc_index_data")
    duckdb = pytest.importorskip("duckdb")
    index = Path(package.__file__).with_name("idc_index.parquet")
    rows = duckdb.sql(
        f"SELECT SeriesDescription FROM '{index}' WHERE SeriesDescription IS NOT NULL "  # noqa: S608
        "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 500"
    ).fetchall()
    before, after = Counter(), Counter()
    for (text,) in rows:
        words = Counter(re.findall(r"[^\W\d_]{2,}", text))
        before += words
        after += words & Counter(re.findall(r"[^\W\d_]{2,}", WORDS.clean(text)))
    assert after.total() / before.total() >= 0.9


def _normal(text: str) -> str:
    import unicodedata

    plain = unicodedata.normalize("NFKC", text)
    return "".join(
        one for one in plain if one in "\t\r\n\f" or unicodedata.category(one)[0] not in "CM"
    )


def _all_names() -> Iterator[str]:
    package = importlib.import_module("faker.providers.person")
    for module in pkgutil.iter_modules(package.__path__):
        provider = importlib.import_module(f"{package.__name__}.{module.name}").Provider
        for attribute in ("first_names", "last_names", "first_names_male", "first_names_female"):
            names = getattr(provider, attribute, ())
            for name in names if isinstance(names, (tuple, list, dict)) else ():
                yield from (word for word in re.findall(r"[^\W\d_]+", name) if len(word) > 2)
