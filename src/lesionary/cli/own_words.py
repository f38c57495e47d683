"""Words of the user's own that texts may keep: ``--word`` of all commands of the door."""

from collections.abc import Sequence


def require_words(words: Sequence[str]) -> None:
    """Refuse what ``--word`` could never find in a text: nothing, or several words at once.

    Raises
    ------
    InputError
        Code ``usage``.
    """
    from lesionary.core.errors import InputError

    if any(len(word.split()) != 1 for word in words):
        raise InputError(
            "--word takes one word",
            code="usage",
            hint="give it as often as there are words: --word first --word second",
        )
