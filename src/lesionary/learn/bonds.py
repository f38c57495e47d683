"""Subjects that are one: found to share a scan, so they go where the other goes."""

from collections.abc import Iterable, Sequence


def bound(links: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return whom each linked name goes with: the first, by name, of all it is linked to.

    Parameters
    ----------
    links : iterable of sequences of str
        Names that belong together; links that share a name join.

    Returns
    -------
    dict of str to str
        Every linked name; the first of a group goes with itself. Empty without links.

    Examples
    --------
    >>> bound([("b", "c"), ("d", "e"), ("c", "a")])
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd', 'e': 'd'}
    """
    leader: dict[str, str] = {}

    def leader_of(name: str) -> str:
        path = []
        while (above := leader.setdefault(name, name)) != name:
            path.append(name)
            name = above
        for passed in path:
            leader[passed] = name
        return name

    for names in links:
        leaders = {leader_of(name) for name in names}
        first = min(leaders, default="")
        leader.update(dict.fromkeys(leaders, first))
    return {name: leader_of(name) for name in sorted(leader)}
