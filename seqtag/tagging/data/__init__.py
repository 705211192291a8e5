"""Tagged corpora: column files, tag schemes, the encoding of sentences, and the batches that a tagger reads."""
