"""A page in the browser where a run answers what one types. It is told the task, and imports none."""
