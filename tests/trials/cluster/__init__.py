"""A cluster that survives: parts of it are killed and replaced while clients write."""
