"""Tokens, passwords, logins and their throttling. Knows the database, not HTTP."""
