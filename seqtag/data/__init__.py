"""Files in, arrays out: the readers and encoders that several tasks share."""
