"""The default number of threads: affinity, and the CPU quota of made-up cgroup trees."""

import math
import os

import pytest

from hplaws._backend import threads
from hplaws._backend.threads import cgroup_quota

V2 = "0::/pod/job\n"
V1 = "9:name=systemd:/pod/job\n4:cpuset:/pod/job\n3:cpu,cpuacct:/pod/job\n2:memory:/elsewhere\n"


def v1(folder, quota, period="100000"):
    return {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": period}


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        pytest.param(V2, {"pod/job/cpu.max": "150000 100000"}, 1.5, id="v2"),
        pytest.param(V2, {"pod/job/cpu.max": "max 100000"}, math.inf, id="v2 without limit"),
        pytest.param(
            V2,
            {"pod/job/cpu.max": "max 100000", "pod/cpu.max": "300000 50000"},
            6,
            id="v2, the group above",
        ),
        pytest.param(
            V2,
            {"pod/job/cpu.max": "400000 100000", "pod/cpu.max": "200000 100000"},
            2,
            id="v2, least of both",
        ),
        pytest.param(V2, {"cpu.max": "50000 100000"}, 0.5, id="v2, container's own mount"),
        pytest.param("0::/\n", {"cpu.max": "50000 100000"}, 0.5, id="v2, top"),
        pytest.param("0::/../other\n", {"cpu.max": "50000 100000"}, 0.5, id="v2, path outside"),
        pytest.param(V2, {"unified/pod/job/cpu.max": "70000 10000"}, 7, id="v2 mounted beside v1"),
        pytest.param(V1, v1("cpu/pod/job", "250000"), 2.5, id="v1"),
        pytest.param(V1, v1("cpu,cpuacct/pod/job", "250000"), 2.5, id="v1, both controllers' name"),
        pytest.param(V1, v1("cpu/pod/job", "-1"), math.inf, id="v1 without limit"),
        pytest.param(V1, v1("cpu", "120000", "40000"), 3, id="v1, container's own mount"),
        pytest.param(V1, v1("cpu/elsewhere", "1000"), math.inf, id="v1, another's group"),
        pytest.param(V1 + V2, v1("cpu/pod", "350000"), 3.5, id="hybrid"),
        pytest.param(
            V1, {"cpu/pod/job/cpu.cfs_quota_us": "100000"}, math.inf, id="v1, period missing"
        ),
        pytest.param(V1, v1("cpu/pod/job", "100000", "0"), math.inf, id="v1, period zero"),
        pytest.param(V2, {"pod/job/cpu.max": ""}, math.inf, id="empty file"),
        pytest.param(V2, {"pod/job/cpu.max": "many few"}, math.inf, id="no numbers"),
        pytest.param("what is this\n\n", {}, math.inf, id="unknown membership"),
        pytest.param(None, {"cpu.max": "100000 100000"}, math.inf, id="no /proc"),
    ],
)
def test_quota(tmp_path, membership, files, quota):
    if membership is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(membership)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    assert cgroup_quota(str(tmp_path)) == quota


@pytest.fixture
def machine(monkeypatch):
    """Sets affinity and quota, and counts how often the quota is looked up."""
    lookups = []

    def of(cpus, quota):
        def look_up():
            lookups.append(quota)
            return quota

        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cpus)), raising=False)
        monkeypatch.setattr(threads, "cgroup_quota", look_up)
        threads.usable_cpus.cache_clear()
        return lookups

    monkeypatch.delenv("HPLAWS_NUM_THREADS", raising=False)
    yield of
    threads.usable_cpus.cache_clear()


@pytest.mark.parametrize(
    ("cpus", "quota", "expected"),
    [(8, math.inf, 8), (8, 2, 2), (8, 2.01, 3), (8, 0.1, 1), (2, 6.5, 2), (1, math.inf, 1)],
)
def test_default_count(machine, cpus, quota, expected):
    machine(cpus, quota)
    assert threads.thread_count(None) == expected


def test_quota_is_read_once(machine):
    lookups = machine(8, 3)
    assert [threads.thread_count(None) for _ in range(3)] == [3, 3, 3]
    assert len(lookups) == 1


def test_argument_and_variable_win(machine, monkeypatch):
    lookups = machine(8, 3)
    monkeypatch.setenv("HPLAWS_NUM_THREADS", "5")
    assert threads.thread_count(None) == 5
    assert threads.thread_count(7) == 7
    assert not lookups


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_looks_again(python):
    """It may have been moved to fewer CPUs between the fork and its first call."""
    done = python(
        """
import os
from hplaws._backend import threads
threads.usable_cpus()
assert threads.usable_cpus.cache_info().currsize == 1
child = os.fork()
if child == 0:
    os._exit(threads.usable_cpus.cache_info().currsize)
_, status = os.waitpid(child, 0)
assert status == 0
"""
    )
    assert done.returncode == 0, done.stderr
