import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.io.vault.identity import from_plaintext, identity_of

PADDING = st.text(alphabet=" \0\t\r\n", max_size=3)
NAMES = st.text(min_size=1, max_size=70).filter(lambda text: text.strip(" \0\t\r\n"))
ANY_CODE_POINTS = st.text(st.characters(), min_size=1, max_size=40)


@given(NAMES, st.text(max_size=20), PADDING, PADDING)
def test_what_dicom_pads_with_makes_no_other_patient(patient_id, issuer, before, after):
    padded = identity_of(before + patient_id + after, before + issuer + after)
    assert padded == identity_of(patient_id, issuer)


@given(NAMES)
def test_composed_and_decomposed_characters_are_one_patient(patient_id):
    decomposed = unicodedata.normalize("NFD", patient_id)
    assert identity_of(decomposed) == identity_of(patient_id)


@pytest.mark.parametrize(
    ("one", "other"), [("007", "7"), ("a1", "A1"), ("a b", "ab"), ("1.0", "1")]
)
def test_everything_else_tells_patients_apart(one, other):
    assert identity_of(one).index_message != identity_of(other).index_message


@given(NAMES, NAMES, st.text(max_size=20), st.text(max_size=20))
def test_two_identities_never_share_what_the_index_is_made_of(one, other, issuer, foreign):
    pair = identity_of(one, issuer), identity_of(other, foreign)
    assert (pair[0] == pair[1]) == (pair[0].index_message == pair[1].index_message)


def test_id_and_issuer_do_not_run_into_each_other():
    assert identity_of("12", "3").index_message != identity_of("2", "31").index_message
    assert identity_of("12", "").index_message != identity_of("2", "1").index_message


@given(ANY_CODE_POINTS, st.text(st.characters(), max_size=20))
def test_whatever_characters_came_in_come_back(patient_id, issuer):
    try:
        identity = identity_of(patient_id, issuer)
    except InputError:
        assert not patient_id.strip(" \0\t\r\n")
        return
    assert from_plaintext(identity.to_plaintext(123456789)) == (123456789, identity)
    assert identity.index_message


def test_the_length_of_what_is_encrypted_tells_nothing_of_usual_ids():
    lengths = {
        len(identity_of("9" * n, "H" * (n % 9)).to_plaintext(123456789)) for n in range(1, 65)
    }
    assert len(lengths) == 1


@pytest.mark.parametrize("missing", ["", " ", "\0\0", " \t\r\n"])
def test_a_missing_id_is_nobody(missing):
    with pytest.raises(InputError) as caught:
        identity_of(missing, "HOSPITAL")
    assert caught.value.code == "subject_missing"


def test_an_identity_is_never_shown_by_accident():
    identity = identity_of("DOE-4711", "ST. ELSEWHERE")
    assert "DOE" not in f"{identity} {identity!r} {[identity]}"
