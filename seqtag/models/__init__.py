"""Parts of networks that several tasks share."""
