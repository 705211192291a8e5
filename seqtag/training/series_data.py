"""The series that a configuration names: its files read, cut into what is fitted on and what is scored."""

from __future__ import annotations

from seqtag.config import SeriesDataConfig
from seqtag.data.time_series.covariates import CovariateNames
from seqtag.data.time_series.files import SeriesColumns


def series_columns(data: SeriesDataConfig) -> SeriesColumns:
    """What the columns of a configuration's files are called."""
    names = CovariateNames(data.past, data.known, data.static, data.categorical)
    return SeriesColumns(data.series, data.time, data.target, names)
