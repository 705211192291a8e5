"""Text: lines of files, the tokeniser, characters, vocabularies and the features of words."""
