"""Which runs are trained, in what order, in which processes, and how their progress is shown."""
