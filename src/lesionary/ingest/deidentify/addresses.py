"""Find addresses in a text: mail, links, hosts, paths. A token between blanks is judged by itself.

Tokens are short, so that no text, however hostile, takes longer than its length allows.
"""

import re
from itertools import pairwise

GONE = "\u3042"
"""A letter of no word: stands for what could not be decoded, and for addresses of all kinds."""

TOKEN_LETTERS = 256
"""No description has a longer run without a blank; what is longer goes whole."""

# fmt: off
DOMAINS = frozenset({
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "local", "lan",
    "localdomain", "internal", "intern", "intranet", "corp", "home", "host", "med", "health",
    "hospital", "clinic",
    "de", "fr", "it", "es", "uk", "us", "nl", "pl", "pt", "ch", "at", "be", "ca", "au", "jp", "cn",
    "br", "eu", "se", "no", "dk", "fi", "ru", "gr", "cz", "ie", "tr", "kr", "mx", "za",
})
"""Domains of organisations and countries: a host's name has one behind a full stop."""
# fmt: on

_TOKEN = re.compile(r"\S+")
_SIGN = re.compile(r"[@\\/]|\.[^\W\d_]")
_LONG = re.compile(rf"\S{{{TOKEN_LETTERS + 1}}}")
_PATH = re.compile(r"\\\\.|(?<![^\W_])[A-Za-z]:[\\/]|^/[^\s/]+/")
_DOTTED = re.compile(r"[\w.-]+")
_BEYOND = re.compile(r"[-_]")


def without_addresses(text: str) -> str:
    """Return a text in which ``GONE`` stands for addresses and for tokens too long to be words.

    What stands before an address in the same token stays, if a host or a path is meant.
    """
    if _SIGN.search(text) is None and _LONG.search(text) is None:
        return text
    return _TOKEN.sub(lambda found: _judged(found[0]), text)


def _judged(token: str) -> str:
    if len(token) > TOKEN_LETTERS or "@" in token or "://" in token:
        return GONE
    if _SIGN.search(token) is None:
        return token
    starts = [token.lower().find("www."), _host(token)]
    path = _PATH.search(token)
    starts.append(path.start() if path else -1)
    found = [start for start in starts if start >= 0]
    return token[: min(found)] + GONE if found else token


def _host(token: str) -> int:
    """Return where the first host's name of a token starts, or -1."""
    for found in _DOTTED.finditer(token):
        labels = found[0].split(".")
        for before, label in pairwise(labels):
            if before.strip("-_") and _BEYOND.split(label, maxsplit=1)[0].casefold() in DOMAINS:
                return found.start()
    return -1
