"""A parent to be killed: starts two workers, says their process ids once they are at work, and waits for its end.

python lifeline_parent.py METHOD JOB STARTER
"""

import fcntl
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext

from helpers.observe import lifeline
from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers.computing import call_without_end, compute_without_end


def sleep(trace: Trace) -> None:
    end_with_parent()
    with trace.span("asleep"):
        time.sleep(600)


def watch(trace: Trace) -> None:
    """What happens where the kernel cannot help."""
    lifeline._killed_by_kernel = lambda _: False
    compute_without_end(trace)


def be_refused(trace: Trace) -> None:
    """What happens in a sandbox that refuses."""

    def refuse(*_: object) -> None:
        raise OSError("not here")

    fcntl.fcntl = refuse
    compute_without_end(trace)


def have_a_forked_child(trace: Trace) -> None:
    end_with_parent()
    me = os.getpid()
    if os.fork() == 0:
        end_with_parent()
        while os.getppid() == me:
            time.sleep(0.01)
        os._exit(0)
    compute_without_end(trace)


def have_a_child(trace: Trace) -> None:
    end_with_parent()
    multiprocessing.Process(target=sleep, args=(trace,)).start()
    sleep(trace)


def lead(trace: Trace) -> None:
    """Lead a group, with a child that is tied to nobody."""
    os.setsid()
    multiprocessing.Process(target=compute_unasked, args=(trace,)).start()
    sleep(trace)


def lead_watched(trace: Trace) -> None:
    """The same where the kernel cannot help."""
    lifeline._killed_by_kernel = lambda _: False
    lead(trace)


def compute_unasked(trace: Trace) -> None:
    with trace.span("asleep"):
        time.sleep(600)


JOBS = {
    "loop": compute_without_end,
    "call": call_without_end,
    "sleep": sleep,
    "watched": watch,
    "refused": be_refused,
    "forker": have_a_forked_child,
    "family": have_a_child,
    "leader": lead,
    "watched leader": lead_watched,
    "initialised": compute_unasked,
}


def start(starter: str, context: BaseContext, trace: Trace, job: str) -> object:
    if starter == "process":
        processes = [context.Process(target=JOBS[job], args=(trace,)) for _ in range(2)]
        for process in processes:
            process.start()
        return processes
    if starter == "pool":
        pool = context.Pool(2, end_with_parent)
        pool.map_async(JOBS[job], [trace] * 2, chunksize=1)
        return pool
    executor = ProcessPoolExecutor(2, mp_context=context, initializer=end_with_parent)
    return executor, [executor.submit(JOBS[job], trace) for _ in range(2)]


def main(method: str, job: str, starter: str) -> None:
    trace = Trace()
    workers = 4 if job in {"family", "leader", "watched leader"} else 2
    if starter == "joblib":
        import threading  # noqa: PLC0415

        import joblib  # noqa: PLC0415

        run = joblib.Parallel(n_jobs=2)
        jobs = [joblib.delayed(compute_without_end)(trace) for _ in range(2)]
        threading.Thread(target=run, args=(jobs,), daemon=True).start()
        kept: object = run
    else:
        multiprocessing.set_start_method(method)
        kept = start(starter, multiprocessing.get_context(method), trace, job)
    while sum(bool(lane.spans) for lane in trace.lanes()) < workers:
        time.sleep(0.005)
    sys.stdout.write(" ".join(str(lane.pid) for lane in trace.lanes()) + "\n")
    sys.stdout.flush()
    time.sleep(600)
    del kept


if __name__ == "__main__":
    main(*sys.argv[1:])
