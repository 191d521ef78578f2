"""Tokens, passwords, logins and the limit on login attempts. It knows the database, not HTTP."""
