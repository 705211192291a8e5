"""What the README's figures come from; run by hand as `python -m benchmarks.NAME`."""
