"""Corrections fitted on held-out windows: blending with a naive rule, conformal offsets, dependence of steps."""
