"""Backups: a copy of all that is stored, made while the server serves, and put back."""
