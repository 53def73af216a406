"""Faults at chosen calls: Python imports this file at the start of every process whose PYTHONPATH
names its folder, so that the project's commands run as they are and are struck from inside.

``FAULTS`` holds a JSON list; of each entry: ``at`` ("module:function" or "module:Class.method"),
``call`` (which call of it in a process, from 1), ``match`` (text that the arguments must hold),
``after`` (let the call finish first), ``delay`` (seconds that the process goes on meanwhile),
``do`` (a signal's number, or "limit" or "serve"), ``whom`` (self, main, server, group), ``hang``
(seconds to sleep in the call afterwards), ``bytes`` and ``folder`` (for "limit" and "serve"). Each
entry strikes once; a line in the file ``log`` says so.
"""

import functools
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import threading
import time
from pathlib import Path

FAULTS = json.loads(os.environ.get("FAULTS", "[]"))


def strike(fault):
    with Path(fault["log"]).open("a") as log:
        log.write(f"{fault['at']} {os.getpid()}\n")
    number, whom = fault.get("do", 9), fault.get("whom", "self")
    parent = multiprocessing.parent_process()
    if number == "limit":  # so many bytes of memory more than now
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + fault["bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    elif whom == "group":
        os.killpg(os.getpgid(0), number)
    elif whom == "main" and parent is not None:
        os.kill(parent.pid, number)
    elif whom == "server" and parent is not None:
        os.kill(os.getppid(), number)
    else:
        os.kill(os.getpid(), number)


def wrapped(function, fault):
    calls = 0
    done = False

    @functools.wraps(function)
    def call(*arguments, **named):
        nonlocal calls, done
        if fault.get("do") == "serve":  # answer for a mirror, from a folder
            name = arguments[0].rsplit("/", 1)[1].removesuffix(".gz")
            return Path(fault["folder"], name).read_bytes()
        hit = fault.get("match", "") in f"{arguments} {named}"
        calls += hit
        if done or not hit or calls != fault.get("call", 1):
            return function(*arguments, **named)
        done = True
        if fault.get("after"):
            result = function(*arguments, **named)
        if fault.get("delay"):
            threading.Timer(fault["delay"], strike, (fault,)).start()
        else:
            strike(fault)
        time.sleep(fault.get("hang", 0))
        return result if fault.get("after") else function(*arguments, **named)

    return call


def patch(module):
    for fault in FAULTS:
        name, _, place = fault["at"].partition(":")
        if name == module.__name__:
            *path, last = place.split(".")
            holder = functools.reduce(getattr, path, module)
            setattr(holder, last, wrapped(getattr(holder, last), fault))


class Finder:
    """Patches modules as they are imported."""

    def find_spec(self, name, path=None, target=None):
        if not any(fault["at"].startswith(f"{name}:") for fault in FAULTS):
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        execute = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (execute(module), patch(module))
        return spec


for each in [module for name, module in sys.modules.items() if name != "__main__"]:
    patch(each)
if FAULTS:
    sys.meta_path.insert(0, Finder())
