"""Parameters, and the statements that they become."""
