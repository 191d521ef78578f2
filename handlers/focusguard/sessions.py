from functools import partial
from typing import Any
from uuid import UUID

import clock
from db.focus import sessions as focus_sessions
from db.focus.sessions import NEWEST_SESSIONS_FIRST, FocusSession, change_session, count_sessions
from db.focus.stats import keeping_stats
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, add, find_owned, read_owned
from language.texts import instant_json, optional_instant_json, renamed
from security.tokens import Token

CHANGEABLE_MEMBERS = {
    "duration_min": "duration_min",
    "completed": "completed",
    "actual_duration_min": "actual_duration_min",
}


def create_session(user: int, token: Token, body: dict[str, Any]) -> dict[str, Any]:
    planned = {"duration_min": body.get("duration_min")}
    with transaction() as session:
        return session_json(add(session, FocusSession, planned, owner=user, at=clock.now()), token)


def list_sessions(user: int, token: Token, limit: int | None, offset: int) -> dict[str, Any]:
    with autocommit() as connection:
        total = count_sessions(connection, owner=user)
    sessions = NEWEST_SESSIONS_FIRST.pages(owner=user, limit=limit, offset=offset)
    return {"sessions": sessions.shown_as(partial(session_json, token=token)), "total": total}


def read_active_session(user: int, token: Token) -> dict[str, Any]:
    with autocommit() as connection:
        return session_json(focus_sessions.read_active_session(connection, owner=user, at=clock.now()), token)


def read_session(user: int, token: Token, session_id: UUID) -> dict[str, Any]:
    with autocommit() as connection:
        return session_json(read_owned(connection, FocusSession, session_id, owner=user), token)


def update_session(user: int, token: Token, session_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    changes = renamed(body, CHANGEABLE_MEMBERS)
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        return session_json(change_session(stats, session_id, changes, at=clock.now()), token)


def delete_session(user: int, session_id: UUID) -> None:
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        find_owned(session, FocusSession, session_id, owner=user).remove(stats, at=clock.now())


def session_json(focus: Row, token: Token) -> dict[str, Any]:
    return {
        "id": str(focus.id),
        "user_id": str(token.account_uuid),
        "duration_min": focus.duration_min,
        "focus_min": focus.focus_min,
        "completed": bool(focus.completed_at),
        "created_at": instant_json(focus.created_at),
        "completed_at": optional_instant_json(focus.completed_at),
    }
