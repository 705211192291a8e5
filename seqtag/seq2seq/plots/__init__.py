"""Figures of attention and of a training, drawn from arrays and rows alone; they belong to no window."""

from seqtag.seq2seq.plots.attention import Alignment, plot_alignments, plot_attention
from seqtag.seq2seq.plots.learning_curve import plot_learning_curve

__all__ = ["Alignment", "plot_alignments", "plot_attention", "plot_learning_curve"]
