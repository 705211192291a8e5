"""Classification of whole sequences: texts, or frames of numbers."""
