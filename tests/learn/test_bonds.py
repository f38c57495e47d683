"""Who shares a scan with whom, over however many others, is one group."""

from hypothesis import given
from hypothesis import strategies as st

from lesionary.learn.bonds import bound

LINKS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=8)


def groups(links):
    """Join groups one by one: the slow oracle."""
    found: list[set[str]] = []
    for link in filter(None, map(set, links)):
        joined = [group for group in found if group & link]
        found = [group for group in found if not group & link] + [link.union(*joined)]
    return {name: min(group) for group in found for name in group}


@given(LINKS)
def test_links_join_into_groups_led_by_their_first(links):
    assert bound(links) == groups(links)


@given(LINKS, st.randoms())
def test_order_of_links_changes_nothing(links, random):
    shuffled = list(links)
    random.shuffle(shuffled)
    assert bound(shuffled) == bound(links)


def test_a_long_chain_is_one_group():
    names = [f"sub-{n:06d}" for n in range(20_000)]
    assert set(bound(zip(names[1:], names[:-1], strict=True)).values()) == {names[0]}
