"""The guide to the API and the pages that explain its errors: for people, to read."""
