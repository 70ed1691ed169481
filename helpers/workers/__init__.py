"""Runs in other processes: the picklable functions that the lessons hand to workers."""
