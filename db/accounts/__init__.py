"""Accounts, their logins and tokens, and the counting of login attempts."""
