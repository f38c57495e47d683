"""Verify that everything still says what it said when it was written."""

from lesionary.app.verify.report import VerifyReport
from lesionary.app.verify.target import VerifyOptions, verify_target

__all__ = ["VerifyOptions", "VerifyReport", "verify_target"]
