"""Throws broken inputs at everything that reads, and kills what writes; run by `python -m benchmarks.fuzz`."""
