"""Elements with words of their own: models, versions, kernels, sequences, what a tag may say."""

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from lesionary.ingest.deidentify.particulars import TERMS
from lesionary.ingest.deidentify.values import clean_cs
from lesionary.ingest.deidentify.vocabulary import element_terms, folded, package_sections
from lesionary.ingest.deidentify.words import Words

WORDS = Words()


def _names() -> list[str]:
    people = Faker(["en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "pl_PL", "vi_VN"])
    people.seed_instance(5)
    drawn = {folded(draw()) for draw in (people.last_name, people.first_name) for _ in range(400)}
    return sorted(name for name in drawn if name.isascii() and name.isalpha())


NAMES = _names()

MODEL, VERSION, KERNEL, SEQUENCE = 0x00081090, 0x00181020, 0x00181210, 0x00180024
POSITION, ATTENUATION = 0x00201040, 0x00541101
FILTER, COLOUR, ALGORITHM = 0x00181160, 0x00620005, 0x00620009

MODELS = (
    "TrioTim|uMI 780|DISCOVERY MR750w|Optima CT660|Force|Biograph128_mCT|Ingenia|Achieva dStream|"
    "LightSpeed VCT|Aquilion ONE|Prisma_fit|SOMATOM Definition AS+|Sensation 16|Mx8000 IDT 16|"
    "Biograph 64-4R TruePoint|GEMINI TF TOF 16|SOMATOM go.Top|Discovery 690|SIGNA Artist|IQon - "
    "Spectral CT|Emotion 16 (2007)|https://github.com/QIICR/dcmqi|EPIQ 5G|Revolution XQi ADS_28.4"
)
VERSIONS = (
    r"2.7.1|3.2.1|VE11C|12HW27.7|4.0.2_coreload.79|syngo MR E11|syngo CT VA48A|dm09_hl2sp1.23|6.3.9"
    r"|LightSpeedApps308I.2_H3.1M5|VG80B|V3.51|24LX.MR.09.1|5.4.1\5.4.1.1"
    r"|syngo CT 2012B|NLX_1 VB20A|15\LX\MR Software release:15.0_M4_0910.a|VX73A_SP0001"
    r"|ct12lpm.24|V4.40ER003|ce_e_hl2sp1.18"
)
KERNELS = (
    r"YA|YB|YC|YD|EB|UB|SB|EDGE|B30f|Br40d\3|Br38f\3|H31s|FC13|LUNG|STANDARD|A|B_SOFT_B|BONE+"
    r"|IMR1\SharpPlus|IMR2,Routine|iDose (3)|FC08|SHARP_C|BodySoft"
)
SEQUENCES = (
    "*tfl3d1_16ns|*tir2d1_15|*spcir_278ns|*fl3d1|*tse2d1_25|*ep_b50t|*se2d1|tfl3d1"
    "|*ep_b1000#12|*ep_b0|*fl3d1r|*tse2d1_15|*re_b1000|*fldyn3d1|efgre3d"
)
FILTERS = r"WEDGE_2|BODY FILTER|FLAT|LARGE BOWTIE FIL|2 MM AL|WEDGE_2\FLAT"
COLOURS = "GREEN|LIGHT_BLUE|dark red|BLUE 2"
ALGORITHMS = "TotalSegmentator|MedSAM|nnU-Net v2|BAMF-Breast-FDG-PET-CT|Grow from seeds|HD-BET"

IDENTITIES = [
    "Smith", "SMITH JOHN", "Okonkwo^Chidinma", "MRN4711123", "4711123", "471112", "19640312",
    "12.03.64", "12.03.1964", "1964-03-12", "12/03/64", "555-0123", "555.123.4567", "555 123 456",
    "192.168.100.12", "AB123456", "Levy 1964", "j.smith@clinic.org", "756.1234.5678.97",
]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        *((MODEL, one) for one in MODELS.split("|")),
        *((VERSION, one) for one in VERSIONS.split("|")),
        *((KERNEL, one) for one in KERNELS.split("|")),
        *((SEQUENCE, one) for one in SEQUENCES.split("|")),
        *((FILTER, one) for one in FILTERS.split("|")),
        *((COLOUR, one) for one in COLOURS.split("|")),
        *((ALGORITHM, one) for one in ALGORITHMS.split("|")),
        *((POSITION, one) for one in ("OM", "SN", "XY", "IC", "BB")),
        (ATTENUATION, "0.096000 cm-1"),
        (ATTENUATION, "measured,, 0.096000 cm-1,"),
    ],
)
def test_what_machines_write_stays_whole(tag, value):
    assert value.encode() in TERMS[tag]


@pytest.mark.parametrize(
    "tag",
    [MODEL, VERSION, KERNEL, SEQUENCE, POSITION, ATTENUATION, FILTER, COLOUR, ALGORITHM],
)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_identities_are_no_terms_of_machines(tag, identity):
    assert identity.encode() not in TERMS[tag]


@pytest.mark.parametrize("tag", [MODEL, VERSION, KERNEL, SEQUENCE, FILTER, COLOUR, ALGORITHM])
@given(name=st.sampled_from(NAMES), number=st.integers(100_000, 10**9))
def test_no_name_nor_record_number_stays_beside_a_known_word(tag, name, number):
    for known in ("Discovery", "syngo MR", "tfl3d1", "B30f", "WEDGE", "GREEN", "MedSAM"):
        for planted in (f"{known} {name}", f"{name} {known}", f"{known}\\{name}", f"{known}{name}"):
            if len(name) > 4 and name not in package_sections()["models"]:
                assert planted.encode() not in TERMS[tag]
        assert f"{known} {number}".encode() not in TERMS[tag]
        assert f"{known}_{number}".encode() not in TERMS[tag]


@pytest.mark.parametrize(
    "value", ["Green", "White", "GREEN^ANNA", "GREEN SMITH", "BROWN_J", "GREEN 1964"]
)
def test_a_colour_stays_only_as_the_whole_of_a_label_that_is_written_like_one(value):
    assert value.encode() not in TERMS[COLOUR]


@pytest.mark.parametrize(
    "value", ["VLK_12", "Novak_12", "syngo CT 1964B", "Smith 6.5.5.1608", "SP4711"]
)
def test_letters_of_versions_are_no_ones_name(value):
    assert value.encode() not in TERMS[VERSION]


@given(st.binary())
def test_any_bytes_are_asked_for_without_an_error(value):
    for tag, terms in TERMS.items():
        if value in terms:
            assert value.isascii(), hex(tag)


def test_the_list_of_models_is_long_enough():
    assert len(package_sections()["models"]) >= 150


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x00100040, "M"),
        (0x00180020, "SE\\IR"),
        (0x00180022, "PER\\PFF\\SAT_GEMS"),
        (0x00180022, "FAST_GEMS\\CARD_GATE"),
        (0x00180015, "BACK"),
        (0x00180015, "SSPINE"),
        (0x00180015, "LLEG"),
        (0x00180015, "Left Breast"),
        (0x00189323, "XYZ_EC"),
        (0x00189323, "XY_EC"),
        (0x00189075, "DIRECTIONAL"),
        (0x00189078, "SMASH"),
        (0x00189078, "PILS"),
        (0x00181147, "MUL_PLAN_PART"),
        (0x00541100, "DLYD"),
        (0x00541001, "CPS"),
        (0x00541001, "PCNT"),
        (0x00541001, "MLG"),
        (0x00280051, "DECY\\RADL\\LIN"),
        (0x00280004, "PALETTE COLOR"),
        (0x00080008, "DERIVED\\PRIMARY\\MPR\\CSA MIP"),
        (0x00080008, "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM7 SPI DUAL"),
        (0x00080008, "ORIGINAL\\PRIMARY\\M\\DRB\\TRACE\\WATER\\TOMO"),
        (0x00185100, "HFS"),
    ],
)
def test_what_the_standard_or_a_maker_defines_for_a_tag_stays(tag, value):
    assert clean_cs(value.encode(), WORDS, element_terms()[tag]) == value.encode()


@pytest.mark.parametrize(
    ("tag", "value", "cleaned"),
    [
        (0x00100040, "LE", ""),
        (0x00100040, "HEAD", ""),
        (0x00180015, "LIN", ""),
        (0x00180015, "DIXON", ""),
        (0x00180020, "DIXON", ""),
        (0x00180020, "SE\\DIXON", "SE\\OTHER"),
        (0x00280004, "ROW", ""),
        (0x00185100, "LIN", ""),
        (0x00080060, "ADA", ""),
        (0x00080008, "LE\\PRIMARY\\AXIAL", "OTHER\\PRIMARY\\AXIAL"),
        (0x00080008, "ORIGINAL\\LIN\\AXIAL\\SMITH", "ORIGINAL\\OTHER\\AXIAL\\OTHER"),
        (0x00541001, "LIN", ""),
    ],
)
def test_a_term_of_one_tag_is_a_name_in_another(tag, value, cleaned):
    assert clean_cs(value.encode(), WORDS, element_terms()[tag]) == cleaned.encode()


@given(st.sampled_from(sorted(element_terms())), st.sampled_from(NAMES))
def test_no_surname_stays_in_a_code_string_unless_it_is_the_tags_own_term(tag, name):
    terms = element_terms()[tag]
    cleaned = clean_cs(name.encode(), WORDS, terms)
    assert not cleaned or name in terms[0].names or WORDS.clean(name)
