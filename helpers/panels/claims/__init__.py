"""What the article says, claim by claim, and what holds today: lesson 18 and its tests are made from this table."""
