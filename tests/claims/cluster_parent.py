"""A parent to be killed: starts a cluster, says so, and waits for its end.

python cluster_parent.py hosts|local
"""

import sys
import time

from distributed import LocalCluster

from helpers.panels.hosts import hosts


def main(kind: str) -> None:
    cluster = (
        hosts(workers=2)
        if kind == "hosts"
        else LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(600)
    del cluster


if __name__ == "__main__":
    main(*sys.argv[1:])
