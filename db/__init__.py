"""The model and everything that touches the database. It knows nothing of HTTP."""
