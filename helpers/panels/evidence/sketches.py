"""The article's four programs, cut down to the lines that decide how they end: our words, its mistakes.

`OLD_PRINT` has them with the print statement of Python 2, `NEW_PRINT` with brackets and all else as it was.
"""

from typing import Final

NEW_PRINT: Final = {
    "example 1": """
import threading, time
thread = threading.Thread(target=time.sleep, args=(0.1,))
thread.start()
while thread.isAlive():
    thread.join(0.3)
print("done")
""",
    "example 2": """
import multiprocessing
def worker(): pass
process = processing.Process(target=trabajador)
process.start()
while process.isAlive():
    process.join(0.3)
print("done")
""",
    "example 3": """
import threading, time
lock_x, lock_y = threading.Lock(), threading.Lock()
def take(first, second):
    first.acquire(); time.sleep(0.5); second.acquire()
threads = [threading.Thread(target=take, args=pair) for pair in ((lock_x, lock_y), (lock_y, lock_x))]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
""",
    "example 4": """
import multiprocessing
def f1(x, y): x = x + y
process = processing.Process(target=f1, args=(4, 6))
process.start()
process.join()
print("done")
""",
}
OLD_PRINT: Final = {name: program.replace('print("done")', 'print "done"') for name, program in NEW_PRINT.items()}
