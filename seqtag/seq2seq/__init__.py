"""Sequence to sequence: translate, pronounce, lemmatise."""
