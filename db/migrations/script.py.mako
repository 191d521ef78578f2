<% body = f"{upgrades} {downgrades}" %>\
"""${message}."""

% if "sa." in body:
import sqlalchemy as sa
% endif
from alembic import op
${imports + "\n" if imports else ""}\

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

# Requests go on meanwhile: tables that hold rows are changed by db/migrations/steps.py (see docs/operations.md).


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
