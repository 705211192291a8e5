"""Windows of series: cut, encoded and batched, held out, and audited for leaks."""
