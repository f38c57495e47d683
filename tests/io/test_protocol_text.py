import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.io.protocol_text import portable_text, with_registry


@given(st.sampled_from(["", "a = 1\n", "\n"]), st.sampled_from(["", "[b]\nc = 2\n", "# c\n[b]\n"]))
def test_an_address_put_in_is_the_one_taken_out(head, tail):
    text = portable_text(head + tail)
    url = "postgresql+psycopg://me@host:5432/study"
    assert portable_text(with_registry(text, url)) == text
    assert with_registry(text, None) == text


@pytest.mark.parametrize(
    "text",
    ['registry.url = "x"\n', 'registry = {url = "x"}\n', '["registry"]\nurl = "x"\n',
     'a = """\n[registry]\n"""\n', "a = "],
)  # fmt: skip
def test_a_registry_that_cannot_be_told_from_the_rest_is_refused(text):
    with pytest.raises(InputError) as refused:
        portable_text(text)
    assert refused.value.code == "protocol"
