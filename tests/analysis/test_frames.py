"""Runs and epochs as tables, the files of ``make runs``, and the notebook that uses them."""

import json

import matplotlib as mpl
import pandas as pd
import pytest

import analysis
from analysis import frames
from experiments.record import RESULTS, read
from tests.checkout import ROOT, called


def test_a_row_a_run_and_a_row_an_epoch_with_the_records_numbers():
    runs, epochs = analysis.frame("standard"), analysis.frame("standard", epochs=True)
    records = {path.stem: read(path) for path in (RESULTS / "standard").glob("*.json")}
    assert set(runs.run) == set(records)
    assert len(epochs) == sum(len(record.history) for record in records.values())
    record = records["ResNet18-mul.s1"]
    row = runs.set_index("run").loc["ResNet18-mul.s1"]
    assert (row.network, row.residual, row.seed) == ("ResNet18", "mul", 1)
    assert row.parameters == record.network.parameters
    first = epochs[(epochs.run == "ResNet18.s0") & (epochs.epoch == 1)].iloc[0]
    assert first.train_loss == records["ResNet18.s0"].history[0].train_loss


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.setattr(frames.schema, "OUT", tmp_path / "out")
    return tmp_path / "out"


def test_files_hold_the_same_table(tmp_path, out):
    folder = tmp_path / "friend"
    folder.mkdir()
    for path in sorted((RESULTS / "standard").glob("LeNet.s*.json")):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "broken.json").write_text("{")
    done = called("analysis.frames", "--results", folder)
    assert done.returncode == 2 and "broken.json" in done.stderr
    table, expected = pd.read_csv(out / "friend" / "runs.csv"), analysis.frame(str(folder))
    assert list(table.run) == list(expected.run)
    assert list(table.test_accuracy) == list(expected.test_accuracy)
    epochs = pd.read_csv(out / "friend" / "epochs.csv")
    assert len(epochs) == len(analysis.frame(str(folder), epochs=True))
    parquet = pd.read_parquet(out / "friend" / "runs.parquet")
    pd.testing.assert_frame_equal(parquet, expected, check_dtype=False)


def test_without_pyarrow_one_line_says_what_to_install(out, monkeypatch):
    monkeypatch.setattr(frames.importlib.util, "find_spec", lambda name: None)
    done = called("analysis.frames", "--results", RESULTS / "quick-fashionmnist")
    assert done.returncode == 0
    last = done.stdout.splitlines()[-1]
    assert last.startswith("no Parquet: pyarrow is not installed; run ")
    written = {path.name for path in (out / "quick-fashionmnist").iterdir()}
    assert written == {"runs.csv", "epochs.csv"}


def test_the_notebook_runs(monkeypatch):
    mpl.use("agg")
    monkeypatch.chdir(ROOT / "docs")
    notebook = json.loads((ROOT / "docs" / "runs.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert list(names["curves"].columns) == ["DenseNet", "PlainNet18", "ResNet18"]
    assert names["accuracy"]["mean"].max() > 0.97
