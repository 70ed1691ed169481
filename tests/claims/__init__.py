"""What the lessons say and their cells do not show, measured."""
