"""DICOM with planted identities, a search for what is left of them, and a score of what stays.

``python -m tests.deid_corpus`` de-identifies the corpus and prints the score as a table.
"""
