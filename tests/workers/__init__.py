"""Tests of helpers/workers."""
