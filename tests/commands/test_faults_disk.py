"""Full disks and missing permission: one line says what and what to do, nothing finished is lost,
and all goes on once there is room."""

import os
import resource
import shutil

import pytest

from tests.checkout import results, run
from tests.fault_kit import ANALYSE, REPORT, TRAIN, contents, faulty, small_checkout

pytestmark = pytest.mark.pipeline

#: Where there is no room a file may have so many bytes: enough for a log, for no record.
ROOM = 2048
REASONS = {"full": "File too large", "denied": "Permission denied"}
#: Permission binds root only without these.
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A copy whose three runs are done, reported on, and kept aside."""
    checkout = small_checkout(tmp_path_factory.mktemp("disk"), epochs=2)
    assert run(checkout, *TRAIN).returncode == 0
    shutil.copytree(results(checkout), checkout / "records")
    return checkout


@pytest.fixture
def checkout(trained):
    """The copy with its records as they were, and nothing else."""
    shutil.rmtree(results(trained))
    shutil.copytree(trained / "records", results(trained))
    for made in ("analysis/out", "report/out", "experiments/checkpoints"):
        shutil.rmtree(trained / made, ignore_errors=True)
    return trained


def while_scarce(kind, place, checkout, command, *faults):
    """Run a command while a folder is full or denied, and again when it is not."""
    place.mkdir(parents=True, exist_ok=True)
    folders = [path for path in (place, *place.rglob("*")) if path.is_dir()]
    prefix, limit = (), None
    if kind == "full":

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))

    elif os.geteuid() == 0:
        prefix = BOUND
    for folder in folders:
        folder.chmod(0o755 if kind == "full" else 0o555)
    env = faulty(checkout, *faults)
    first = run(checkout, *command, prefix=prefix, preexec_fn=limit, env=env)
    for folder in folders:
        folder.chmod(0o755)
    return first, run(checkout, *command, env=env)


def is_refused(done, kind, name):
    """Status 2, and a single line of error that names the thing, the reason, and what to do."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert name in line and REASONS[kind] in line, line
    assert "give the same command again" in line


@pytest.mark.parametrize("kind", ["full", pytest.param("denied", marks=pytest.mark.soak)])
def test_no_room_for_records(checkout, kind):
    (results(checkout) / "LeNet.s0.json").unlink()
    finished = contents(results(checkout))
    first, second = while_scarce(kind, results(checkout), checkout, TRAIN)
    is_refused(first, kind, "LeNet.s0.json" if kind == "full" else "smoke")
    if kind == "full":  # which costs a run its checkpoint, not more
        (line,) = [line for line in first.stderr.splitlines() if "an interruption would" in line]
        assert line.startswith("LeNet.s0: goes on, but ") and REASONS[kind] in line
    assert second.returncode == 0, second.stderr
    assert "1 run to train" in second.stderr
    after = contents(results(checkout))
    assert after.keys() == {*finished, "LeNet.s0.json"}
    assert after.items() >= finished.items()


@pytest.mark.soak
def test_no_permission_for_the_data(checkout):
    (results(checkout) / "LeNet.s0.json").unlink()
    data = checkout / "data" / "MNIST"
    source = data.resolve()
    data.unlink()
    serve = {"at": "experiments.datasets.download:download", "do": "serve", "folder": str(source)}
    try:
        first, second = while_scarce("denied", data, checkout, TRAIN, serve)
        is_refused(first, "denied", "data/MNIST")
        assert second.returncode == 0, second.stderr
        assert contents(data) == contents(source)
    finally:
        shutil.rmtree(data)
        data.symlink_to(source)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "command", "made"),
    [
        ("full", ANALYSE, "results.json"),
        ("denied", (*REPORT, "--only", "html"), "report.html"),
    ],
)
def test_no_room_for_a_build(checkout, kind, command, made):
    records = contents(results(checkout))
    place = f"{command[1]}/out"
    if command is not ANALYSE:
        assert run(checkout, *ANALYSE).returncode == 0
    first, second = while_scarce(kind, checkout / place, checkout, command)
    is_refused(first, kind, place)
    assert second.returncode == 0, second.stderr
    assert contents(results(checkout)) == records
    assert (checkout / place / "smoke" / made).read_text().rstrip()[-1] in "}>"
