"""Scores of taggers: spans by conlleval's reading and strictly, and accuracy of plain labels."""
