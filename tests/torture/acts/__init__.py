"""The acts, one subject a file; each adds its scenarios."""
