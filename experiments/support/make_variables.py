"""Check the variables of a make call: print what is wrong with them in one line, or nothing.

The Makefile calls it with the goals and the variables of its command line. The variables of a
target are those in the target's help comment. It runs before anything is installed and needs only
the standard library.
"""

import difflib
import re
import sys
from pathlib import Path

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


def takes(makefile: str) -> dict[str, list[str]]:
    """The variables of each target, by the ``NAME=`` in its help comment."""
    found = re.findall(r"^([a-z-]+):[^#\n]*## (.*)$", makefile, re.MULTILINE)
    return {target: re.findall(r"\b([A-Z_]+)=", text) for target, text in found}


def complaint(makefile: str, goals: list[str], names: list[str]) -> str:
    """What is wrong with the variables ``names`` for the targets ``goals``; empty if nothing is."""
    targets = takes(makefile)
    everywhere = targets["setup"]  # other targets call set-up
    known = sorted({*everywhere, *(name for taken in targets.values() for name in taken)})
    wanted = [name for goal in goals for name in targets.get(goal, known)]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.7)
            hint = f"did you mean {near[0]}?" if near else "make help lists the variables"
            return f"unknown variable {name}; {hint}"
        if name not in wanted and name not in everywhere:
            expected = ", ".join(dict.fromkeys(wanted)) or "none"
            return f"make {' '.join(goals)} takes no {name}; it takes: {expected}"
    return ""


if __name__ == "__main__":
    print(complaint(MAKEFILE.read_text(encoding="utf-8"), sys.argv[1].split(), sys.argv[2:]))
