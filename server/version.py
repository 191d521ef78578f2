"""The version of this server; pyproject.toml has the same."""

VERSION = "0.1.0"
