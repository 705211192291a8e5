"""Tagged corpora: column files, tag schemes, and the batches a tagger reads."""
