"""Lesionary: from scans to a reviewed, measured, published tumour data set."""
