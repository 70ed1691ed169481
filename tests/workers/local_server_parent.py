"""A parent to be killed or interrupted: starts a local server, says its process and address, and waits.

python local_server_parent.py METHOD
"""

import multiprocessing
import sys
import time

from helpers.workers.local_server import fetch, local_server


def main() -> None:
    multiprocessing.set_start_method(sys.argv[1])
    with local_server(delay=0.0) as url:
        fetch(url)
        (server,) = multiprocessing.active_children()
        print(server.pid, url, flush=True)  # noqa: T201 (the test reads it)
        time.sleep(600)


if __name__ == "__main__":
    main()
