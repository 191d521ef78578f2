from collections.abc import Callable
from typing import Any

from db.focus.leaderboards import BY_FOCUS_TIME, BY_SESSIONS, BY_STREAK, Leaderboard, read_leaderboard
from db.focus.stats import level, xp
from db.sql.engine import autocommit


def rank_by_xp(user: int, limit: int) -> dict[str, Any]:
    # Experience points grow with focus time alone, so both put accounts in the same order.
    with autocommit() as connection:
        board = read_leaderboard(connection, BY_FOCUS_TIME, owner=user, limit=limit)
    return leaderboard_json(board, "xp_points", figure=xp)


def rank_by_focus_time(user: int, limit: int) -> dict[str, Any]:
    with autocommit() as connection:
        board = read_leaderboard(connection, BY_FOCUS_TIME, owner=user, limit=limit)
    return leaderboard_json(board, "total_focus_min")


def rank_by_streak(user: int, limit: int) -> dict[str, Any]:
    with autocommit() as connection:
        board = read_leaderboard(connection, BY_STREAK, owner=user, limit=limit)
    return leaderboard_json(board, "best_streak")


def rank_by_sessions(user: int, limit: int) -> dict[str, Any]:
    with autocommit() as connection:
        board = read_leaderboard(connection, BY_SESSIONS, owner=user, limit=limit)
    return leaderboard_json(board, "total_sessions")


def leaderboard_json(board: Leaderboard, metric: str, *, figure: Callable[[int], int] = int) -> dict[str, Any]:
    return {
        "leaderboard": [
            {
                "rank": rank,
                "user_id": str(row.uuid),
                "username": row.username,
                "lvl": level(row.total_focus_min),
                metric: figure(row.figure),
            }
            for rank, row in board.ranked
        ],
        "current_user_rank": board.own_rank,
        "total_users": board.account_count,
    }
