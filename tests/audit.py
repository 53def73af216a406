"""``make audit``: known vulnerabilities and withdrawn releases among the locked packages.

pip-audit asks PyPI about each locked release. Where an index answers only for packages as a whole,
as mirrors do, this asks it that: it tells of a package's withdrawn releases, and of the
vulnerabilities of its latest one. Exit status 1 if anything is found.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "requirements-dev.lock"
_PIN = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)
_SECONDS = 20.0

Pin = tuple[str, str]


def pins(lock: Path) -> list[Pin]:
    """Name and version of every locked release."""
    return _PIN.findall(lock.read_text(encoding="utf-8"))


def audited(lock: Path) -> dict[Pin, list[str]]:
    """The vulnerabilities of the releases that pip-audit could ask about."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["-r", str(lock), "--format=json", "--progress-spinner=off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return {}  # no network at all
    return {
        (item["name"], item["version"]): [vulnerability["id"] for vulnerability in item["vulns"]]
        for item in found
        if "vulns" in item
    }


def asked(pin: Pin) -> tuple[list[str], str]:
    """What the index says of a package as a whole.

    Returns:
        What is wrong with the release, and what could not be found out about it.
    """
    name, version = pin
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    address = f"{index.removesuffix('/simple')}/pypi/{name}/json"
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            package = json.load(answer)
        files = package["releases"].get(version, [])
        latest, known = package["info"]["version"], package["vulnerabilities"]
    except (OSError, ValueError, KeyError, TypeError):
        return [], "unknown to the index"
    wrong = ["withdrawn"] if files and all(file.get("yanked") for file in files) else []
    if version != latest:
        return wrong, f"latest: {latest}"
    return wrong + [item["id"] for item in known if not item.get("withdrawn")], ""


def main() -> int:
    """Print what was found and what could not be checked."""
    locked = pins(LOCK)
    results = audited(LOCK)
    rest = [pin for pin in locked if pin not in results]
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(rest, pool.map(asked, rest), strict=True))
    found = results | {pin: wrong for pin, (wrong, _) in answers.items()}
    found = {pin: ids for pin, ids in found.items() if ids}
    unchecked = [
        f"{name} {version} ({why})" for (name, version), (_, why) in answers.items() if why
    ]
    for (name, version), ids in found.items():
        print(f"{name} {version}: {', '.join(ids)}")
    print(
        f"audit: {len(locked)} releases, {len(results)} asked about by pip-audit, "
        f"{len(rest) - len(unchecked)} of the rest as their packages' latest; found: {len(found)}"
    )
    if unchecked:
        print(f"audit: vulnerabilities of these could not be checked: {', '.join(unchecked)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
