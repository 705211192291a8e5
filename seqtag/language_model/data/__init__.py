"""Texts as rows of symbols, and batches of them."""
