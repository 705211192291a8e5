"""Parts of the exported forecaster: its raw inputs and the state of a stream."""
