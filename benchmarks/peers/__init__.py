"""The peers: other ways to give the same answers."""
