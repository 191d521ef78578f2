"""The model and everything that touches the database. Knows nothing of HTTP."""
