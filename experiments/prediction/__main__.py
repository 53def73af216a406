"""``python -m experiments.prediction MODEL IMAGE``: which digit a photo shows."""

from pathlib import Path

from PIL import Image

from experiments import study
from experiments.datasets import DATASETS
from experiments.support.arguments import add_study
from models.cli import OneLineParser, run

#: Enlargement of the saved picture of the network's input.
_ENLARGED = 10


def main() -> int:
    """Parse the command line, print the probabilities, save a picture of the network's input."""
    from experiments.prediction.predict import best_run, probabilities
    from experiments.prediction.preprocess import as_mnist, read
    from experiments.record import read as read_record

    parser = OneLineParser(prog="python -m experiments.prediction", description=__doc__)
    parser.add_argument("model", help="a network, or a run of it: ResNet18, ResNet18-mul.s0")
    parser.add_argument("image", type=Path, help="a picture of one digit")
    add_study(parser)
    arguments = parser.parse_args()
    for name in ("model", "image"):
        if str(getattr(arguments, name)) in ("", "."):
            parser.error(f"{name.upper()}= is missing: make predict MODEL=ResNet18 IMAGE=my.png")
    photo: Path = arguments.image
    path = best_run(arguments.model, study.profile_name(arguments.profile, arguments.dataset))
    image = as_mnist(read(photo))
    found = probabilities(path, image[None])[0].tolist()
    classes = DATASETS[read_record(path).config.dataset].classes["en"]
    print(f"{photo} by {path.stem}:")
    for number, share in sorted(enumerate(found), key=lambda item: -item[1]):
        print(f"  {classes[number]:<12} {share:8.2%} {'#' * round(40 * share)}".rstrip())
    seen = photo.with_name(f"{photo.stem}-seen.png")
    side = _ENLARGED * len(image)
    Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST).save(seen)
    print(f"what the network saw: {seen}")
    return 0


if __name__ == "__main__":
    run(main)
