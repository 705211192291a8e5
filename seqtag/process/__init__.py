"""The process that seqtag runs in: its streams, signals and forks, and what TensorFlow writes in it."""
