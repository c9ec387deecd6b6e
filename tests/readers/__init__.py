"""Other people's programs read the exports and the lists."""
