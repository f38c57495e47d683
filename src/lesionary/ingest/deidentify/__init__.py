"""De-identify DICOM: every element stays, changes or goes by a rule, and what no rule names goes.

The rules are those of PS3.15 Annex E; ``docs/reference/deidentification.md`` says what each does.
"""
