"""What the configuration of every task is made of: sections with checked keys, and the settings of a fit."""
