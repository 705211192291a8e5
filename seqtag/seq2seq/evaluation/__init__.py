"""Scores of answers: exact match, token error rate, BLEU and chrF, and a table of the errors."""
