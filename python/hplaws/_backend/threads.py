"""How many threads a call may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import cache

from .. import _validate

MOST = 1024  # a slip of the keyboard shall not exhaust the machine


def thread_count(threads: int | None) -> int:
    """The caller's number, else HPLAWS_NUM_THREADS, else the CPUs this process may use."""
    if threads is not None:
        return min(_validate.count("threads", threads), MOST)
    text = os.environ.get("HPLAWS_NUM_THREADS")
    if text:
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f"HPLAWS_NUM_THREADS must be a whole number, got {text!r}") from None
        return min(_validate.count("HPLAWS_NUM_THREADS", number), MOST)
    return usable_cpus()


@cache
def usable_cpus() -> int:
    """The CPUs of this process's affinity mask, or fewer where its cgroup's quota is less.

    Read once per process: neither changes in the life of an ordinary one.
    """
    cpus = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cpus = len(os.sched_getaffinity(0))
    return math.ceil(min(cpus, cgroup_quota()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=usable_cpus.cache_clear)


def cgroup_quota(root: str = "/") -> float:
    """CPU time per wall time that Linux grants this process; inf where nothing limits it.

    A group's quota binds all groups below it. Inside a container the path in
    /proc/self/cgroup may start outside what is mounted: then its files are missing and
    those at the top of the mount, the container's own, are left to count.
    """
    quota = math.inf
    for line in _lines(os.path.join(root, "proc/self/cgroup")):
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers:  # version 2, alone or beside version 1
            mounts = ("", "unified")
        elif "cpu" in controllers.split(","):
            mounts = ("cpu", controllers)
        else:
            continue
        for mount in mounts:
            top = os.path.join(root, "sys/fs/cgroup", mount)
            for group in _up(path):
                quota = min(quota, _group_quota(os.path.join(top, group)))
    return quota


def _up(path: str) -> Iterator[str]:
    """The group and all those above it, the top ("") last."""
    names = path.strip("/").split("/")
    for depth in range(len(names), -1, -1):
        yield "/".join(names[:depth])


def _group_quota(folder: str) -> float:
    """The quota one cgroup sets itself, v2 or v1; inf where there is none."""
    fields = " ".join(_lines(os.path.join(folder, "cpu.max"))).split()
    if not fields:
        for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"):
            fields += _lines(os.path.join(folder, name))
    try:
        quota, period = map(int, fields)
    except ValueError:  # "max", or not there
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
