"""Totals over groups of series, whose forecasts add up."""

from seqtag.forecasting.hierarchy.hierarchy import Hierarchy

__all__ = ["Hierarchy"]
