"""The choice among candidates: settings that are tried out on rolling origins before a forecaster is fitted."""
