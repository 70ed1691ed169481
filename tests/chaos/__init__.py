"""Lessons under chaos: interrupted, killed, run in the wrong order and twice; nothing hangs and nothing is left."""
