"""What ingest does between opening files and writing rows: admit images, place drawings, number."""
