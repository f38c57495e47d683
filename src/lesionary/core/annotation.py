"""Words that stages share about who made a mask and who has seen it."""

GIVEN = "given"
"""Author of what came along without a reader's name."""

UNREVIEWED = "unreviewed"
"""State of what no reader has affirmed."""
