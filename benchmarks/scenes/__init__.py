"""What is measured side by side: one scene a file."""
