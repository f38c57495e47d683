"""The journey from scans to release, on one screen in pipeline."""
