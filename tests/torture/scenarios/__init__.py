"""The scenarios, one subject per module. Importing a module registers its scenarios."""
