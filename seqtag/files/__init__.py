"""Writing files and folders: a fault leaves the old one or none, never half of a new one."""
