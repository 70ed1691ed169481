"""A parent to be killed: starts a cluster of each kind, says so, and waits for its end."""

import sys
import time

from distributed import LocalCluster

from helpers.panels.hosts import hosts


def main() -> None:
    clusters = [
        hosts(workers=1),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"),
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(600)
    clusters.clear()


if __name__ == "__main__":
    main()
