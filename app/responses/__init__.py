"""Response bodies: problems, formats, representations."""
