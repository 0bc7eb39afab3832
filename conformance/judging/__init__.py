"""From what was seen to findings: the pure way that every run, sequence, document and foreign traffic takes alike."""
