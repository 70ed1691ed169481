"""What things cost here, beside what others cost, in one run: `python -m benchmarks` prints all of it."""
