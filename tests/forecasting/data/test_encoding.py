"""Tables as arrays: columns and categories as in the training table; errors say what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from seqtag.data.series.covariates import CovariateNames
from seqtag.data.series.files import SeriesColumns, read_series
from seqtag.errors import DataError
from seqtag.forecasting.data.calendar_features import calendar_features
from seqtag.forecasting.data.encoding import SeriesEncoder

NAMES = CovariateNames(past=("cost", "mood"), known=("price",), static=("size",))


def frame_of(time_zone=None, frequency="D", **changes):
    steps = np.arange(6)
    ds = pd.date_range("2024-03-29", periods=6, freq=frequency, tz=time_zone)
    columns = {"cost": [1.0, np.nan, 3.0, 3.0, 1.0, 2.0], "mood": list("abacab"), "price": 0.1, "size": 2.0}
    return pd.DataFrame({"unique_id": "s", "ds": ds, "y": steps, **columns, **changes})


def table_of(names=NAMES, **changes):
    return read_series(frame_of(**changes), SeriesColumns(covariates=names))


@pytest.fixture(scope="module")
def encoder():
    return SeriesEncoder.fit(table_of(time_zone="Europe/Berlin"), calendar=True)


def test_numbers_stay_and_categories_become_rows(encoder):
    encoded = encoder.encode(table_of(time_zone="Europe/Berlin", mood=list("aabzbb")))
    np.testing.assert_array_equal(encoded.past[:, 0], [1, np.nan, 3, 3, 1, 2])
    a, b = (encoder.categories["past"].vocabularies["mood"].index(symbol) for symbol in "ab")
    assert encoded.past_codes[:, 0].tolist() == [a, a, b, 1, b, b]
    assert encoded.known_codes.shape == (6, 0) and encoded.static.tolist() == [[2.0]]
    assert encoded.values.dtype == encoded.known.dtype == np.float64 and encoded.calendar.dtype == np.float32


def test_the_calendar_is_that_of_the_zone(encoder):
    table = table_of(time_zone="Europe/Berlin")
    names, expected = calendar_features(table.frequency, table.times, "Europe/Berlin")
    np.testing.assert_array_equal(encoder.encode(table).calendar, expected)
    assert encoder.inputs()["calendar"] == len(names)
    assert SeriesEncoder.fit(table).encode(table).calendar.shape == (6, 0)


def test_columns_keep_the_order_of_training():
    names = CovariateNames(known=("a", "b"))
    turned = CovariateNames(known=("b", "a"))
    encoder = SeriesEncoder.fit(table_of(names, a=range(6), b=range(10, 16)))
    encoded = encoder.encode(table_of(turned, a=range(6), b=range(10, 16)))
    np.testing.assert_array_equal(encoded.known.T, [range(6), range(10, 16)])


def test_the_network_learns_means_deviations_and_sizes(encoder):
    inputs = encoder.inputs()
    seen = np.array([1.0, 3.0, 3.0, 1.0, 2.0])
    np.testing.assert_allclose(inputs["past"], [[seen.mean(), seen.std()]])
    assert inputs["past_codes"] == [5] and inputs["static_codes"] == [] and inputs["series"] == 1


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1, 0.0])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_a_constant_column_has_a_deviation_of_one(value, rows):
    frame = pd.DataFrame({"unique_id": "s", "ds": range(rows), "y": 1.0, "price": value})
    names = SeriesColumns(covariates=CovariateNames(known=("price",)))
    [[mean, deviation]] = SeriesEncoder.fit(read_series(frame, names, frequency=1)).inputs()["known"]
    assert deviation == 1 and mean == pytest.approx(value)


def test_a_column_without_a_value_has_the_mean_zero_and_a_deviation_of_one():
    [[mean, deviation], _] = SeriesEncoder.fit(table_of(CovariateNames(past=("cost", "price")), cost=np.nan)).inputs()[
        "past"
    ]
    assert (mean, deviation) == (0, 1)


def test_what_json_holds_encodes_alike(encoder):
    again = SeriesEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    table = table_of(time_zone="Europe/Berlin", mood=list("aabzbb"))
    one, other = encoder.encode(table), again.encode(table)
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert again.inputs() == encoder.inputs()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frequency": "h"}, "expected series of frequency 'D' in time zone Europe/Berlin as in training, found 'h'"),
        ({"time_zone": None}, "in time zone Europe/Berlin as in training, found 'D' in None"),
        ({"names": CovariateNames(past=("cost", "mood"), static=("size",))}, "expected known covariate 'price' as in"),
        ({"mood": 1.0}, "expected categories in past covariate 'mood' as in training, found others"),
        ({"price": list("abcdef")}, "expected numbers in known covariate 'price' as in training, found others"),
    ],
)
def test_tables_that_do_not_fit_the_training_data_are_refused(encoder, changes, message):
    with pytest.raises(DataError, match=message) as error:
        encoder.encode(table_of(**{"time_zone": "Europe/Berlin", **changes}))
    assert "\n" not in str(error.value)
