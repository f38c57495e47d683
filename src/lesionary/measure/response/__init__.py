"""Response over time: RECIST 1.1 and iRECIST as pure functions (R10, X4, X7)."""
