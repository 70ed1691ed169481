"""Count the cores: those that exist, those that may be used, and the time on them that a container grants.

Sources: sched_setaffinity(2); cgroups(7), "cpu.max" of version 2 and "cpu.cfs_quota_us" of version 1.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Cores(NamedTuple):
    """How many cores there are for this process."""

    exist: int
    usable: int
    """How many of them it may run on."""
    quota: float | None
    """How many cores' worth of time its container grants; None if it sets no limit."""

    @property
    def at_once(self) -> int:
        """How many workers can truly run at the same moment, at least one."""
        return self.usable if self.quota is None else max(1, min(self.usable, int(self.quota)))


def count_cores() -> Cores:
    """Count them now; the numbers may change while a program runs."""
    quota = _quota(Path("/")) if sys.platform == "linux" else None
    return Cores(os.cpu_count() or 1, _usable(), quota)


def _usable() -> int:
    count = getattr(os, "process_cpu_count", None)  # from Python 3.13 on
    if count is not None:
        return count() or 1
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(root: Path) -> float | None:
    """The smallest limit on the way from this process's control group up to the top."""
    limits = [limit for group in _groups(root) if (limit := _limit(group)) is not None]
    return min(limits, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups that may set a limit on its time."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            top = root / "sys/fs/cgroup" / controllers
            # Inside a container the path may be the host's, which is not there: then only the top is.
            group = PurePosixPath(path.lstrip("/"))
            yield from (top / part for part in (group, *group.parents))


def _limit(group: Path) -> float | None:
    """The cores' worth of time that one control group grants; None for no limit."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (group / "cpu.cfs_quota_us").read_text()
            period = (group / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        granted = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max": no limit
        return None
    return granted if granted > 0 else None
