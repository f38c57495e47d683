"""What Lesionary itself costs beside the work: a thousand series, and a million rows."""
