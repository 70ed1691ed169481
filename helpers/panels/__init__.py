"""Runs in the kernel only: widgets and pictures made from what ``observe`` recorded."""
