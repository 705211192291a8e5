"""The configuration of a forecaster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import Cell, FilesConfig, Fraction, Positive, Section, TaskConfig

Level = Annotated[float, Field(gt=0, lt=1)]


class SeriesDataConfig(FilesConfig):
    """Where the series are and how they are read."""

    train: str | None = Field(None, description="CSV file; 'sample:daily' and 'sample:hourly' are made in the package")
    test: str | None = Field(None, description="CSV file of the same series, later on; or use test_steps")
    layout: Literal["long", "wide", "m3"] = Field("long", description="a row a value, a column a series, or M3's file")
    period: Literal["yearly", "quarterly", "monthly", "other"] | None = Field(None, description="which series of M3")
    series: str = Field("unique_id", description="column of the series' names, of long files")
    time: str = Field("ds", description="column of the timestamps")
    target: str = Field("y", description="column of the values, of long files")
    targets: tuple[str, ...] | None = Field(None, description="columns that are series, of wide files; all unless set")
    past: tuple[str, ...] = Field((), description="covariates known up to the present")
    known: tuple[str, ...] = Field((), description="covariates known for the future too")
    static: tuple[str, ...] = Field((), description="covariates of a series")
    categorical: tuple[str, ...] = Field((), description="those of them whose numbers name categories")
    frequency: str | int | None = Field(None, description="pandas offset or integer step; inferred unless set")
    time_zone: str | None = Field(None, description="time zone of local clocks")
    train_steps: Positive | None = Field(None, description="use the first so many steps for fitting, dev included")
    test_steps: Positive | None = Field(None, description="score the steps after those, so many, or the last so many")
    standardise: bool = Field(False, description="values in units of each series' deviation in training, as for ETT")

    @model_validator(mode="after")
    def _one_test_set(self) -> SeriesDataConfig:
        if (self.layout == "m3") != (self.period is not None):
            raise ValueError(f"expected a period for layout 'm3' alone, found {self.layout!r} and {self.period!r}")
        if self.layout == "m3" and (self.test or self.test_steps or self.train_steps):
            raise ValueError("expected the test steps of M3's own file, found test, test_steps or train_steps")
        if self.test and (self.test_steps or self.train_steps):
            raise ValueError("expected test, or test_steps and train_steps, found both")
        if (self.train or "").startswith("sample:") and (self.test or self.layout != "long"):
            raise ValueError("expected a sample as long series with a test part of its own, found other settings")
        return self


class ForecastModelConfig(Section):
    """The network of a forecaster and what corrects its answers."""

    horizon: Positive = Field(24, description="steps of a forecast")
    lookback: Positive = Field(168, description="steps of history that the network reads")
    cell: Cell = Field("gru", description="of the recurrent layers")
    units: Positive = Field(64, description="of every recurrent layer")
    layers: Positive = Field(1, description="recurrent layers of the encoder")
    dilations: tuple[Positive, ...] | None = Field(None, description="of each layer; 1 for all unless set")
    residual: bool = Field(False, description="skip connections from the second layer on")
    bidirectional: bool = Field(False, description="the encoder runs both ways")
    segment: Positive = Field(1, description="steps that are read and written at once; 1 for points")
    output: Literal["parallel", "direct", "recursive"] = Field(
        "parallel",
        description="direct: all steps by one layer; parallel: each from the encoder's state and a position vector; "
        "recursive: each from the one before",
    )
    scaling: Literal["none", "standard", "mean", "last", "revin", "es_rnn"] = Field(
        "revin", description="what is taken off a history before the network reads it, and put back on the forecast"
    )
    series_smoothing: bool = Field(False, description="es_rnn: each series learns smoothing and season of its own")
    head: Literal["quantiles", "student_t", "negative_binomial", "point_mse", "point_mae", "point_huber"] = Field(
        "quantiles", description="the distribution that is forecast, and with it the loss"
    )
    quantiles: tuple[Level, ...] = Field((0.1, 0.5, 0.9), description="levels that are forecast, 0.5 among them")
    season: Positive | None = Field(None, description="steps of a season; that of the frequency unless set")
    calendar: bool = Field(False, description="time of day, day of week and the like are read")
    series_width: Annotated[int, Field(ge=0)] = Field(0, description="of a learned vector of each series; 0 for none")
    dropout: Fraction = Field(0.0, description="of the outputs of each recurrent layer")
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    members: Positive = Field(1, description="networks of different seeds whose answers are averaged")
    guard: Literal["none", "blend"] = Field("none", description="blend: toward seasonal naive where that is better")
    conformal: bool = Field(True, description="quantiles corrected on the held-out windows")

    @field_validator("quantiles")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if not levels or list(levels) != sorted(set(levels)) or 0.5 not in levels:
            raise ValueError("expected rising quantiles with 0.5 among them")
        return levels

    @model_validator(mode="after")
    def _fitting(self) -> ForecastModelConfig:
        if self.dilations is not None and len(self.dilations) != self.layers:
            raise ValueError(f"expected dilations for {self.layers} layers, found {len(self.dilations)}")
        if self.head == "negative_binomial" and self.scaling not in ("none", "mean"):
            raise ValueError(f"expected scaling 'mean' or 'none' for counts, found {self.scaling!r}")
        if self.segment > self.lookback:
            raise ValueError(f"expected a segment of at most the lookback of {self.lookback}, found {self.segment}")
        return self


class ForecastTrainingConfig(FittingConfig):
    """How a forecaster is fitted."""

    optimizer: Literal["adam", "nadam", "sgd"] = Field("adam", description="the method of gradient descent")
    epochs: Positive = Field(20, description="passes over the training data, at most")
    patience: Positive | None = Field(5, description="epochs without a better held-out loss; null for never")
    batch_windows: Positive = Field(64, description="windows in a batch")
    windows_per_epoch: Positive | None = Field(None, description="drawn anew each epoch; all unless set")
    balanced: bool = Field(False, description="every series is drawn as often as every other, however long")
    shortest: Positive | None = Field(None, description="least history of a training window; one value unless set")
    validation_steps: Positive | None = Field(None, description="held out at each series' end; the horizon unless set")
    keep: Literal["best", "last"] = Field("best", description="the epoch of the least held-out loss, or the last")
    refit: bool = Field(False, description="fit once more on all steps, for as many epochs as were best")
    teacher_share: tuple[Fraction | Literal[1], Fraction | Literal[1]] = Field(
        (1.0, 0.0), description="of true values that a recursive decoder reads: in the first epoch and in the last"
    )


class ForecastEvaluationConfig(Section):
    """What is measured."""

    stride: Positive = Field(1, description="steps from one scored window of a series to its next")
    folds: Positive = Field(5, description="rolling origins of a backtest")


class ForecastingConfig(TaskConfig):
    """One job of forecasting."""

    task: Literal["forecasting"] = Field(description="the name of the task")
    data: SeriesDataConfig = SeriesDataConfig()
    model: ForecastModelConfig = ForecastModelConfig()
    training: ForecastTrainingConfig = ForecastTrainingConfig()
    evaluation: ForecastEvaluationConfig = ForecastEvaluationConfig()
