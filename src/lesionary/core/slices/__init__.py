"""Filling in between drawn slices."""
