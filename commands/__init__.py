"""What an operator does: commands of the Flask application, as `flask --app app <command>`."""

from commands.accounts import account
from commands.backups import backup, restore
from commands.config import config
from commands.keys import keys
from commands.migrate import migrate
from commands.purge import purge

COMMANDS = (account, backup, config, keys, migrate, purge, restore)
