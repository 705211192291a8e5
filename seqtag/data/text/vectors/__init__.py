"""Pretrained word vectors: files of every common form, a cache of them, the table of a model, and the look-up in it."""
