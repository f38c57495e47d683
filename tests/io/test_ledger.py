"""A list that only grows, and survives being cut."""

from hypothesis import given
from hypothesis import strategies as st

from lesionary.io.ledger import Ledger

NAMES = st.lists(st.from_regex(r"[0-9.]{1,12}", fullmatch=True), max_size=6)


@given(st.lists(NAMES, max_size=4))
def test_what_was_added_is_known_to_whoever_opens_it(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("ledger") / "names"
    for batch in batches:
        Ledger(path).add(batch)
    wanted = {name for batch in batches for name in batch}
    found = Ledger(path)
    assert len(found) == len(wanted)
    assert all(name in found for name in wanted)


@given(st.integers(1, 20))
def test_a_name_that_a_crash_cut_short_is_no_name_and_harms_no_other(tmp_path_factory, n_cut):
    path = tmp_path_factory.mktemp("ledger") / "names"
    Ledger(path).add(["1.23456", "1.23457", "1.23458"])
    path.write_bytes(path.read_bytes()[:-n_cut])
    cut = Ledger(path)
    whole = [name for name in ("1.23456", "1.23457", "1.23458") if name in cut]
    assert len(cut) == len(whole)
    cut.add(["1.9"])
    again = Ledger(path)
    assert "1.9" in again
    assert all(name in again for name in whole)
