"""Scans with known truth, and readers with known habits."""
