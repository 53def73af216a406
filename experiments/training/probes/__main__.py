"""``python -m experiments.training.probes RUN``: repeat a run's probes with its saved weights."""

import json
from pathlib import Path
from typing import Any

from experiments import study
from experiments.support.arguments import add_study
from models.cli import OneLineParser, run


def again(path: Path) -> dict[str, Any]:
    """Measure block gains and channel weights of a trained network whose weights were saved.

    Returns ``block_gains`` (as the record's last), empty without residual blocks, and
    ``se_weights``, empty without SE blocks. On the same kind of machine both equal the record's.

    Args:
        path: the record of the run.

    Raises:
        UsageError: the run's weights cannot be loaded (``models.load``).
    """
    import models
    from experiments.datasets import splits
    from experiments.record import read
    from experiments.training.device import pick_device, prepare
    from experiments.training.evaluation import predict
    from experiments.training.probes import Subject
    from experiments.training.probes.block_gains import GainsProbe
    from experiments.training.probes.se_weights import SEProbe
    from experiments.training.run import on_device
    from experiments.training.state import Trained

    record = read(path)
    config, device = record.config, pick_device()
    prepare(device, record.environment.threads, config.seed)
    # With the kernels of training, so that sums are rounded alike.
    net, images = on_device(models.load(path), splits.load(config.dataset), config, device)
    trained = Trained(micro_batches=record.batch_pieces)
    subject = Subject(net, config, images["validation"], trained)
    gains, weights = GainsProbe(subject), SEProbe(subject)
    gains.before_training()
    weights.before_test()
    predict(config, net, images["test"], record.batch_pieces)
    weights.after_test()
    return {
        "block_gains": [gain.model_dump() for each in gains.result() for gain in each.blocks],
        "se_weights": [block.model_dump() for block in weights.result()],
    }


def main() -> int:
    """Parse the command line and print the probes as JSON."""
    from experiments.prediction.predict import best_run

    parser = OneLineParser(prog="python -m experiments.training.probes", description=__doc__)
    parser.add_argument("run", help="a run whose weights were kept: SEResNet18.s0")
    add_study(parser)
    arguments = parser.parse_args()
    if not arguments.run:
        parser.error("RUN= is missing: make probe RUN=SEResNet18.s0")
    path = best_run(arguments.run, study.profile_name(arguments.profile, arguments.dataset))
    print(json.dumps({"run": path.stem, **again(path)}, indent=2))
    return 0


if __name__ == "__main__":
    run(main)
