"""Tests of helpers/observe."""
