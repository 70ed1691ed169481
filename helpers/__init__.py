"""What the lessons need beside the standard library.

Three rooms, named after where their code runs; imports go one way::

    workers (other processes) -> observe (both sides) <- panels (the kernel only)
"""
