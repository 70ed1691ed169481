"""Runs on both sides: records what threads and processes do, and reads it back."""
