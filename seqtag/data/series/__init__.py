"""Tables of time series: reads them from files and frames, checks them, and puts them on a regular time grid."""
