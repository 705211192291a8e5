"""The shared parts of every task's configuration: sections with checked keys, and the settings of a fit."""
