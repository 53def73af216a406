"""Train, evaluate and probe one network: ``run.execute`` makes a record from a configuration."""
