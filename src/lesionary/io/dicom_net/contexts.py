"""What the receiver agrees to take: every storage class of the standard, in every syntax.

What an object is worth is judged when it has come; a class that nobody knows is refused for its
context alone, so that the rest of the association goes on. Video is taken too: the door says why
it is set aside. Left out are syntaxes that send a reference instead of pixels.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

VERIFICATION = "1.2.840.10008.1.1"
_ROOT = "1.2.840.10008.1.2"
_REFERENCED = ("1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95")
_REFERENCED_HT = ("1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205")
_NOT_PIXELS = ("1.2.840.10008.1.2.6", "1.2.840.10008.1.2.7")


@cache
def transfer_syntaxes() -> frozenset[str]:
    """Return the syntaxes that are taken: native, deflated, and all kinds of compression."""
    from pydicom._uid_dict import UID_dictionary

    return frozenset(
        uid
        for uid, (_, kind, *_) in UID_dictionary.items()
        if kind == "Transfer Syntax"
        and uid.startswith(_ROOT)
        and uid not in _REFERENCED + _REFERENCED_HT
        and not uid.startswith(_NOT_PIXELS)
    )


@cache
def storage_classes() -> frozenset[str]:
    """Return the storage classes that are taken."""
    from pynetdicom.presentation import AllStoragePresentationContexts

    return frozenset(
        str(context.abstract_syntax)
        for context in AllStoragePresentationContexts
        if context.abstract_syntax
    )


def contexts_for(
    proposed: "Iterable[PresentationContext]",
) -> "list[PresentationContext]":
    """Return what is supported of what a sender proposes, in the sender's order of syntaxes.

    Parameters
    ----------
    proposed : iterable of PresentationContext
        Contexts of storage classes and of C-ECHO count, others are rejected.
    """
    from pynetdicom.presentation import build_context

    wanted: dict[str, dict[str, None]] = {}
    for context in proposed:
        abstract = str(context.abstract_syntax)
        if abstract == VERIFICATION or abstract in storage_classes():
            known = [str(one) for one in context.transfer_syntax if one in transfer_syntaxes()]
            wanted.setdefault(abstract, {}).update(dict.fromkeys(known))
    return [build_context(abstract, list(known)) for abstract, known in wanted.items() if known]
