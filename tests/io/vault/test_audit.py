import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.io.vault.audit import reason


@given(st.text(max_size=80))
def test_a_reason_is_one_printable_line_of_three_words_or_refused(text):
    try:
        clean = reason(text)
    except InputError:
        return
    assert clean == reason(clean)
    assert len(clean.split()) >= 1
    assert len(clean.splitlines()) == 1
    assert clean.encode()


def test_control_characters_do_not_reach_the_audit():
    assert reason("asked\x1b[2J by\n\nthe   board") == "asked [2J by the board"


@pytest.mark.parametrize("text", ["a b c d", "1 2 3", "because I"])
def test_letters_are_no_words(text):
    with pytest.raises(InputError):
        reason(text)
