"""The YAML configuration as pydantic models: every key has a type, a default and a meaning; an unknown key is an error.

The same models are the settings of the Python estimators. Nothing here imports TensorFlow.
"""

from seqtag.config.files import Config, dump_config, load_config, parse_config, resolve_path
from seqtag.config.fitting import FittingConfig
from seqtag.config.forecasting import (
    ForecastEvaluationConfig,
    ForecastingConfig,
    ForecastModelConfig,
    ForecastTrainingConfig,
    SeriesDataConfig,
)
from seqtag.config.section import validate_section
from seqtag.config.tagging import DataConfig, EvaluationConfig, ModelConfig, TaggingConfig, TrainingConfig

__all__ = [
    "Config",
    "DataConfig",
    "EvaluationConfig",
    "FittingConfig",
    "ForecastEvaluationConfig",
    "ForecastModelConfig",
    "ForecastTrainingConfig",
    "ForecastingConfig",
    "ModelConfig",
    "SeriesDataConfig",
    "TaggingConfig",
    "TrainingConfig",
    "dump_config",
    "load_config",
    "parse_config",
    "resolve_path",
    "validate_section",
]
