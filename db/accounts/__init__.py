"""Accounts, and the logins by which a person is known."""
