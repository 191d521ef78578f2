"""Why a backup cannot be made or put back."""


class BackupError(Exception):
    """A backup cannot be made, or cannot be put back; the message says why, in one line."""
