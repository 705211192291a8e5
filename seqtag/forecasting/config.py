"""The configuration of a forecaster."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from seqtag.config.fitting import FittingConfig
from seqtag.config.section import AboveZero, Cell, FilesConfig, Fraction, Positive, Section, TaskConfig
from seqtag.forecasting.levels import checked_levels

Level = Annotated[float, Field(gt=0, lt=1)]
Scaling = Literal["none", "standard", "mean", "last", "seasonal", "revin", "es_rnn"]
# What all members of an ensemble share.
SHARED = (
    "horizon",
    "lookback",
    "quantiles",
    "season_length",
    "calendar",
    "guard",
    "conformal",
    "ensemble_size",
    "members",
    "search",
)


# What follows from the data unless it is set, see `seqtag.forecasting.defaults.choices`, and its value until then.
MODEL_CHOICES = ("lookback", "cell", "units", "segment", "scaling", "anchor", "season_length", "members", "guard")
TRAINING_CHOICES = ("epochs", "batch_windows", "windows_per_epoch", "min_history", "validation_steps")


UNSET: Any = None


def without_unset(values: Any, names: Collection[str]) -> Any:
    """The values of a section, without those of these keys that are None: they follow from the data."""
    if not isinstance(values, Mapping):
        return values
    return {key: value for key, value in values.items() if value is not None or key not in names}


class SeriesDataConfig(FilesConfig):
    """Where the series are and how they are read."""

    train: str | None = Field(None, description="CSV file; 'sample:daily' and 'sample:hourly' are made in the package")
    test: str | None = Field(None, description="CSV file of the same series, later on; or use test_steps")
    layout: Literal["long", "wide", "m3"] = Field(
        "long", description="long: a row for each value; wide: a column for each series; m3: the M3 competition's file"
    )
    period: Literal["yearly", "quarterly", "monthly", "other"] | None = Field(None, description="which series of M3")
    series: str = Field("unique_id", description="column of the series' names in long files")
    time: str = Field("ds", description="column of the timestamps")
    target: str = Field("y", description="column of the values in long files")
    targets: tuple[str, ...] | None = Field(None, description="columns of wide files that are series; all unless set")
    past: tuple[str, ...] = Field((), description="covariates known up to the present")
    known: tuple[str, ...] = Field((), description="covariates known for the future too")
    static: tuple[str, ...] = Field((), description="covariates of a series")
    categorical: tuple[str, ...] = Field((), description="covariates whose numbers name categories")
    frequency: str | int | None = Field(
        None, description="any pandas offset, such as 15min, W, BME or bh, or an integer step; inferred unless set"
    )
    time_zone: str | None = Field(None, description="time zone of local clocks")
    date_format: str | None = Field(
        None, description="form of times in text, such as '%d.%m.%Y'; ISO 8601, quarters and weeks need none"
    )
    separator: str | None = Field(
        None, description="between the fields of a file, or tab; told by the first line unless set"
    )
    decimal: Literal[".", ","] | None = Field(None, description="decimal mark; told by a file's first lines unless set")
    encoding: str = Field("utf-8", description="of the files, as Python names it")
    train_steps: Positive | None = Field(
        None, description="number of first steps to fit on, the held-out ones included"
    )
    test_steps: Positive | None = Field(
        None, description="number of steps to score: after train_steps, or the last ones"
    )
    standardise: bool = Field(
        False, description="networks read each series less its mean, in deviations; usual for ETT"
    )

    @field_validator("frequency", mode="before")
    @classmethod
    def _offset(cls, value: Any) -> Any:
        from seqtag.data.series.offsets import as_offset_text

        return as_offset_text(value)

    @field_validator("separator", "date_format", "encoding")
    @classmethod
    def _written(cls, value: str | None, field: ValidationInfo) -> str | None:
        from seqtag.data.series.text_format import TextFormat

        # A TAB has a name, since nobody can type one on a command line.
        value = "\t" if value in ("tab", "\\t") and field.field_name == "separator" else value
        if value is not None:
            TextFormat(**{str(field.field_name): value})
        return value

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
    """The network of a forecaster and the corrections of its forecasts."""

    horizon: Positive = Field(24, description="steps of a forecast")
    lookback: Positive = Field(UNSET, description="steps of history that the network reads")
    cell: Cell = Field(UNSET, description="of the recurrent layers")
    units: Positive = Field(UNSET, description="of every recurrent layer")
    layers: Positive = Field(1, description="recurrent layers of the encoder")
    dilations: tuple[Positive, ...] | None = Field(None, description="of each layer; 1 for all unless set")
    residual: bool = Field(False, description="whether layers from the second on have a skip connection")
    bidirectional: bool = Field(False, description="whether the encoder runs both ways")
    segment: Positive = Field(UNSET, description="steps that the network reads and gives at once")
    stateful: bool = Field(
        False, description="whether forecasts follow from all steps of a series, by a state that is carried on"
    )
    output: Literal["parallel", "direct", "recursive"] = Field(
        "parallel",
        description="direct: all steps by one layer; parallel: each from the encoder's state and a position vector; "
        "recursive: each from the one before",
    )
    scaling: Scaling = Field(
        UNSET, description="how a history is scaled before the network reads it; the forecast is scaled back"
    )
    anchor: bool = Field(
        UNSET, description="whether the network starts from a linear map of the window, by least squares"
    )
    series_smoothing: bool = Field(False, description="es_rnn: each series learns its own smoothing and season")
    head: Literal["quantiles", "student_t", "negative_binomial", "point_mse", "point_mae", "point_huber"] = Field(
        "quantiles", description="the distribution that is forecast, and with it the loss"
    )
    quantiles: tuple[Level, ...] = Field((0.1, 0.5, 0.9), description="levels that are forecast, 0.5 among them")
    season_length: Positive = Field(UNSET, description="steps of a season")
    calendar: bool = Field(False, description="whether the network reads time of day, day of week and the like")
    series_width: Annotated[int, Field(ge=0)] = Field(0, description="of a learned vector of each series; 0 for none")
    dropout: Fraction = Field(0.0, description="of the outputs of each recurrent layer")
    recurrent_dropout: Fraction = Field(0.0, description="of the hidden state between steps")
    members: tuple[dict[str, Any], ...] = Field(
        UNSET, description="networks that differ: what each has otherwise than this section; [] for one as it is"
    )
    ensemble_size: Positive = Field(1, description="networks of different seeds of each member")
    guard: Literal["none", "blend"] = Field(
        UNSET, description="blend: networks and rules are weighed by what they are worth on held-out steps"
    )
    conformal: bool = Field(True, description="whether quantiles are corrected on the held-out windows")
    lower: float | None = Field(None, description="bound that no value lies below, in units of the series")
    upper: float | None = Field(None, description="bound that no value lies above")
    search: Literal["small"] | None = Field(
        None,
        description="small: a handful of candidates for settings that are not set are compared before the fit; null "
        "for none",
    )

    @field_validator("quantiles")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if 0.5 not in checked_levels(levels):
            raise ValueError("expected rising quantiles with 0.5 among them")
        return levels

    def of_members(self) -> list[ForecastModelConfig]:
        """The settings of each network, `ensemble_size` of a member one after the other."""
        own = self.model_dump(exclude={"members"})
        found = [ForecastModelConfig(**{**own, **changes}) for changes in self.members or ({},)]
        return [member for member in found for _ in range(self.ensemble_size)]

    @model_validator(mode="before")
    @classmethod
    def _from_the_data(cls, values: Any) -> Any:
        return without_unset(values, MODEL_CHOICES)

    @field_validator("members")
    @classmethod
    def _no_shared_key(cls, members: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for number, changes in enumerate(members, 1):
            for key in changes:
                if key in SHARED:
                    raise ValueError(f"expected no {key!r} in member {number}: all members share it")
        return members

    @model_validator(mode="after")
    def _fitting(self) -> ForecastModelConfig:
        if self.dilations is not None and len(self.dilations) != self.layers:
            raise ValueError(f"expected dilations for {self.layers} layers, found {len(self.dilations)}")
        if self.head == "negative_binomial" and self.scaling not in ("none", "mean", None):
            raise ValueError(f"expected scaling 'mean' or 'none' for counts, found {self.scaling!r}")
        if self.anchor and (self.output == "recursive" or self.head == "negative_binomial"):
            raise ValueError("expected no anchor for output 'recursive' or head 'negative_binomial', found one")
        if self.segment is not None and self.lookback is not None and self.segment > self.lookback:
            raise ValueError(f"expected a segment of at most the lookback of {self.lookback}, found {self.segment}")
        if self.stateful:
            self._check_stateful()
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"expected lower below upper, found {self.lower:g} and {self.upper:g}")
        if self.members:
            self.of_members()
        return self

    def _check_stateful(self) -> None:
        """A state can be carried on where no later value changes how the earlier ones were read."""
        fitting: dict[str, tuple[Any, ...]] = {
            "scaling": ("standard", "none"),
            "guard": ("none",),
            "segment": (1,),
            "bidirectional": (False,),
            "residual": (False,),
            "dilations": ((1,) * self.layers,),
        }
        for name, values in fitting.items():
            found = getattr(self, name)
            if found is not None and found not in values:
                expected = " or ".join(map(repr, values))
                raise ValueError(f"expected {name} {expected} with stateful, found {found!r}")


class ForecastTrainingConfig(FittingConfig):
    """How a forecaster is fitted."""

    optimizer: Literal["adam", "nadam", "sgd"] = Field("adam", description="the method of gradient descent")
    learning_rate: AboveZero = Field(3e-3, description="the highest learning rate of the run")
    warmup_steps: Annotated[int, Field(ge=0)] = Field(
        50, description="updates over which the learning rate rises from zero"
    )
    decay: Literal["none", "linear", "cosine"] = Field(
        "cosine", description="how the learning rate falls to zero over the run, after the warm-up"
    )
    clip_norm: AboveZero | None = Field(1.0, description="greatest global norm of the gradients; null for no clipping")
    epochs: Positive = Field(UNSET, description="passes over the training data, at most")
    patience: Positive | None = Field(4, description="epochs without a better held-out loss; null for never")
    batch_windows: Positive = Field(UNSET, description="windows in a batch")
    windows_per_epoch: Positive = Field(UNSET, description="drawn anew each epoch, at most")
    balanced: bool = Field(False, description="every series is drawn equally often, whatever its length")
    min_history: Positive = Field(UNSET, description="fewest steps of history of a training window")
    validation_steps: Positive = Field(UNSET, description="steps held out at the end of each series")
    keep: Literal["best", "last"] = Field("best", description="the epoch with the least held-out loss, or the last")
    refit: bool = Field(False, description="fit again on all steps, for as many epochs as were best")
    teacher_share: tuple[Fraction | Literal[1], Fraction | Literal[1]] = Field(
        (1.0, 0.0), description="share of true values that a recursive decoder reads in the first and in the last epoch"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_the_data(cls, values: Any) -> Any:
        return without_unset(values, TRAINING_CHOICES)


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
