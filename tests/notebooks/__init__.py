"""The net that tests the lessons."""
