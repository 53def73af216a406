"""Faults at chosen calls: Python imports this file at the start of every process whose PYTHONPATH
names its folder, so that the project's commands run as they are and are struck from inside.

``FAULTS`` holds a JSON list; of each entry: ``at`` ("module:function" or "module:Class.method"),
``call`` (which call of it in a process, from 1), ``match`` (text that the arguments must hold),
``after`` (let the call finish first), ``delay`` (seconds that the process goes on meanwhile),
``do`` (a signal's number, or a name below), ``whom`` (self, main, server, group), ``hang``
(seconds to sleep in the call afterwards), ``bytes`` and ``folder`` (for what some names do). Each
entry strikes once; a line in the file ``log`` says so.
"""

import functools
import importlib.util
import json
import os
import sys
import threading
import time

FAULTS = json.loads(os.environ.get("FAULTS", "[]"))


def strike(fault):
    with open(fault["log"], "a") as log:  # noqa: PTH123
        log.write(f"{fault['at']} {os.getpid()}\n")
    match fault.get("do", 9):
        case "limit":  # so many bytes of memory more than now
            import resource

            pages = int(open("/proc/self/statm").read().split()[0])  # noqa: PTH123, SIM115
            most = pages * resource.getpagesize() + fault["bytes"]
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        case int() as number:
            kill(fault.get("whom", "self"), number)


def kill(whom, number):
    import multiprocessing

    parent = multiprocessing.parent_process()
    if whom == "group":
        os.killpg(os.getpgid(0), number)
    elif whom == "main" and parent is not None:
        os.kill(parent.pid, number)
    elif whom == "server" and parent is not None:
        os.kill(os.getppid(), number)
    else:
        os.kill(os.getpid(), number)


def serve(fault, address):
    """Answer for a mirror, from a folder."""
    name = address.rsplit("/", 1)[1].removesuffix(".gz")
    with open(os.path.join(fault["folder"], name), "rb") as file:  # noqa: PTH118, PTH123
        return file.read()


def wrapped(function, fault):
    calls = 0
    done = False

    @functools.wraps(function)
    def call(*arguments, **named):
        nonlocal calls, done
        if fault.get("do") == "serve":
            return serve(fault, arguments[0])
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


def patch(module, fault):
    *path, name = fault["at"].split(":")[1].split(".")
    holder = module
    for part in path:
        holder = getattr(holder, part)
    setattr(holder, name, wrapped(getattr(holder, name), fault))


class Finder:
    """Patches modules as they are imported."""

    def find_spec(self, name, path=None, target=None):
        mine = [fault for fault in FAULTS if fault["at"].split(":")[0] == name]
        if not mine:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            for fault in mine:
                patch(module, fault)

        spec.loader.exec_module = exec_module
        return spec


for each in FAULTS:
    if each["at"].split(":")[0] in sys.modules:
        patch(sys.modules[each["at"].split(":")[0]], each)
if FAULTS:
    sys.meta_path.insert(0, Finder())
