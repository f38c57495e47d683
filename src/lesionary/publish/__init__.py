"""Stage 9 of 9: layouts, tables, figures, report, release."""
