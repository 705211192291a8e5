"""What the figures of `docs/results.md` come from; run by hand as `python -m benchmarks.NAME`."""
