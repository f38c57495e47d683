"""Who names the UIDs of a study: under its key, as its protocol says."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.ingest.pseudonym import Pseudonymiser


def names_of(study: "Study") -> "Pseudonymiser":
    """Return the study's pseudonymiser.

    Where the protocol says ``ingest.keep_uids`` every UID stays, those too that tell a day: what it
    is said of is public, and results must link back to it. The door reads UIDs more closely.
    """
    from lesionary.ingest.pseudonym import Pseudonymiser

    is_public = study.protocol.ingest.keep_uids
    return Pseudonymiser(study.key, keep_uids=is_public, keep_dated_uids=is_public)
