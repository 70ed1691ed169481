"""Tests of the helpers, the lessons and what they claim."""
