"""The raw inputs of an exported forecaster, and how the graph turns them into a network's batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf

from seqtag.data.text.vocabulary import PADDING, UNKNOWN
from seqtag.forecasting.data.calendar_features import calendar_cycles
from seqtag.forecasting.data.encoding import KINDS, SeriesEncoder
from seqtag.forecasting.model import ForecastingModel
from seqtag.forecasting.network.calendar import GraphCalendar

Tensors = dict[str, tf.Tensor]
Raw = Mapping[str, tf.Tensor]
Specs = dict[str, tf.TensorSpec]
Axes = Sequence[int | None]


class ForecastInputs:
    """The inputs of a model in a client's form: numbers, strings, timestamps.

    A signature has only inputs that the model reads. Covariates stand side by side on the last axis, in the order
    of `columns`.

    Args:
        model: the fitted model.

    Attributes:
        columns: the names of the covariates of each input.
        trackable: the lookup tables, which a SavedModel must hold.
    """

    def __init__(self, model: ForecastingModel) -> None:
        encoder = model.encoder
        self.columns = {kind: tuple(encoder.numeric[kind]) for kind in KINDS}
        self.columns |= {f"{kind}_categories": tuple(encoder.categories[kind].vocabularies) for kind in KINDS}
        cycles = calendar_cycles(encoder.frequency) if encoder.calendar else ()
        self._calendar = GraphCalendar(cycles, encoder.time_zone)
        self._series = _series_table(encoder) if model.reads_series else None
        self._categories = {kind: _category_tables(encoder, kind) for kind in KINDS}
        self.trackable = [table for tables in self._categories.values() for table in tables]
        self.trackable += [] if self._series is None else [self._series]

    def widths(self) -> dict[str, int]:
        """How many numbers a step (a series, of the static ones) has of each array of the batch."""
        codes = {f"{kind}_codes": len(self.columns[f"{kind}_categories"]) for kind in KINDS}
        return {kind: len(self.columns[kind]) for kind in KINDS} | codes | {"calendar": len(self._calendar.names)}

    def past_specs(self, axes: Axes) -> Specs:
        """The inputs of a past step; `axes` are those before the columns."""
        return self._covariate_specs("past", axes)

    def known_specs(self, axes: Axes, time: str) -> Specs:
        """The inputs of a step that are known before it, with its timestamp, which is called `time`."""
        times = {time: tf.TensorSpec(axes, tf.int64, name=time)} if self._calendar.names else {}
        return times | self._covariate_specs("known", axes)

    def series_specs(self) -> Specs:
        """The inputs of a series."""
        rows = {} if self._series is None else {"series": tf.TensorSpec([None], tf.string, name="series")}
        return rows | self._covariate_specs("static", [None])

    def _covariate_specs(self, kind: str, axes: Axes) -> Specs:
        kinds = {kind: tf.float64, f"{kind}_categories": tf.string}
        widths = {name: len(self.columns[name]) for name in kinds}
        return {name: tf.TensorSpec([*axes, widths[name]], kinds[name], name=name) for name in kinds if widths[name]}

    def checked(self, raw: Raw, beyond: int) -> Raw:
        """The inputs of histories, once their sizes are checked; nothing reads them before.

        Without the check, a short input would be read beside the wrong steps, or its one row for every history.

        Args:
            raw: the inputs.
            beyond: how many steps after the history those have that are known before them.
        """
        rows, time = tf.unstack(tf.shape(raw["history"]))
        as_long = "expected {} to have as many steps as history, and those of the horizon where it is known"
        raw = _checked(raw, self.past_specs([None, None]), 1, time, as_long)
        raw = _checked(raw, self.known_specs([None, None], "times"), 1, time + beyond, as_long)
        return _checked(raw, self.series_specs(), 0, rows, "expected {} to have a row for each history")

    def past(self, raw: Raw, shape: tf.Tensor) -> Tensors:
        """The arrays `past` and `past_codes`; `shape` is that of one value a step."""
        return self._covariates("past", raw, shape)

    def known(self, raw: Raw, time: str, shape: tf.Tensor) -> Tensors:
        """The arrays `calendar`, `known` and `known_codes`."""
        calendar = self._calendar(raw[time]) if self._calendar.names else _no_columns(shape, tf.float32)
        return {"calendar": calendar, **self._covariates("known", raw, shape)}

    def series(self, raw: Raw, batch_size: tf.Tensor) -> Tensors:
        """The arrays `series`, `static` and `static_codes`."""
        rows = tf.zeros([batch_size], tf.int32) if self._series is None else self._series.lookup(raw["series"])
        return {"series": rows, **self._covariates("static", raw, batch_size[None])}

    def _covariates(self, kind: str, raw: Raw, shape: tf.Tensor) -> Tensors:
        tables = enumerate(self._categories[kind])
        codes = [table.lookup(raw[f"{kind}_categories"][..., n]) for n, table in tables]
        return {
            kind: raw[kind] if self.columns[kind] else _no_columns(shape, tf.float64),
            f"{kind}_codes": tf.stack(codes, axis=-1) if codes else _no_columns(shape, tf.int32),
        }


def only_where(usable: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
    """The rows that are usable, the others NaN."""
    return tf.where(tf.reshape(usable, [-1, *[1] * (rows.shape.rank - 1)]), rows, tf.constant(float("nan"), rows.dtype))


def rows_with_infinity(arrays: Mapping[str, tf.Tensor], names: Sequence[str]) -> tf.Tensor:
    """Which rows hold an infinite value in an array of these names, bool `(batch,)`."""
    found = [tf.zeros(tf.shape(arrays[names[0]])[:1], tf.bool)]
    for array in (arrays[name] for name in names):
        if array.shape[-1] != 0:
            found.append(tf.reduce_any(tf.math.is_inf(array), axis=range(1, array.shape.rank)))
    return tf.reduce_any(found, axis=0)


def _checked(raw: Raw, names: Iterable[str], axis: int, size: tf.Tensor, message: str) -> Raw:
    sizes = {name: tf.shape(raw[name])[axis] for name in names}
    checks = [tf.debugging.assert_equal(found, size, message.format(name)) for name, found in sizes.items()]
    with tf.control_dependencies(checks):
        return {name: tf.identity(array) for name, array in raw.items()}


def _series_table(encoder: SeriesEncoder) -> tf.lookup.StaticHashTable:
    return _table({name: row for row, name in enumerate(encoder.ids, 1)}, 0)


def _category_tables(encoder: SeriesEncoder, kind: str) -> list[tf.lookup.StaticHashTable]:
    """As `CategoryEncoder.encode`; "" is a missing category, unless the training data had one of that name."""
    vocabularies = encoder.categories[kind].vocabularies.values()
    rows = [dict(zip(v.symbols, v.indices(v.symbols), strict=True)) for v in vocabularies]
    return [_table({"": PADDING, **known}, UNKNOWN) for known in rows]


def _table(rows: Mapping[str, int], default: int) -> tf.lookup.StaticHashTable:
    keys, values = tf.constant(list(rows), tf.string), tf.constant(list(rows.values()), tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default)


def _no_columns(shape: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    return tf.zeros(tf.concat([shape, [0]], axis=0), dtype)
