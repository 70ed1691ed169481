"""What lesson 18 says, as small functions: each runs in a sandbox of its own, and gives whether it holds."""
