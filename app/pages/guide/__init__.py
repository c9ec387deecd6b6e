"""The API guide and the pages that explain each type of error."""
