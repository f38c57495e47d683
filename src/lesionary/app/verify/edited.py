"""Whether ``study.toml`` is still what the last run went by."""

import json
from typing import TYPE_CHECKING, Any

from lesionary.app.audit import PROTOCOL_READ
from lesionary.app.verify.report import VerifyReport

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.io.registry.chain import Event

_HINT = (
    "the next `lesionary run STUDY` goes by it, and says so in the audit; the release's study.toml"
    " is the one that it was published by"
)


def verify_protocol(study: "Study", report: VerifyReport) -> None:
    """Note where ``study.toml`` was edited since the last run: that is allowed, and worth knowing.

    It is held against what the run told in the audit. Where nothing ran yet, there is nothing to
    say.
    """
    action, unit = PROTOCOL_READ
    with report.section(unit):
        events = [event for event in study.registry.events(of=unit) if event.action == action]
        if events and study.protocol_digest != _digest_told(events[-1]):
            reason = f"study.toml was edited since the last run read it (event {events[-1].seq})"
            report.note(unit, "protocol_changed", reason, _HINT)


def _digest_told(event: "Event") -> Any:
    try:
        told = json.loads(event.details or "null")
    except ValueError:  # no JSON: the check of events tells whose
        return None
    return told.get("now") if isinstance(told, dict) else None
