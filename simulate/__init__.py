"""Reader studies whose truth is known, to see whether probabilities of responses are right."""
