"""Corrections fitted on held-out windows: blending with seasonal naive, conformal offsets, dependence of steps."""
