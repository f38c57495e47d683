"""What several readers drew: patterns, tumours, consensus. Two stages need it."""
