"""What a forecaster takes from the data where a setting is not given: the seasons that the series have."""
