"""Whether torch can train on a GPU here, found without importing torch into this process."""

import functools
import subprocess
import sys
from pathlib import Path

_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA; Windows's Linux; AMD


@functools.cache
def has_gpu() -> bool:
    """Whether torch can use a GPU. Where a driver is installed, a new process imports torch to find
    out; a line is printed if there is a GPU that torch cannot use."""
    answers = _succeeds("nvidia-smi", "-L")
    if not answers and not any(Path(driver).exists() for driver in _DRIVERS):
        return False
    usable = _succeeds(
        sys.executable, "-c", "import sys, torch; sys.exit(not torch.cuda.is_available())"
    )
    if answers and not usable:
        print(
            "note: nvidia-smi finds a GPU that torch cannot use (CUDA_VISIBLE_DEVICES? driver?): "
            "training is on the CPU.",
            file=sys.stderr,
        )
    return usable


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
