"""Tests of very much at once: workers, spans, lanes."""
