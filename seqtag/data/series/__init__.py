"""Tables of time series: read from files and frames, checked, on a regular time grid."""
