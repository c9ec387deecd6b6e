"""Problem documents, response formats, response bodies, and request headers that select them."""
