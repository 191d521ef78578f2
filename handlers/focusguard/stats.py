from datetime import date
from typing import Any

import clock
from db.focus.days import day_at, day_of, last_days, last_months, last_weeks, month_of, week_of, zone_of
from db.focus.leaderboards import summarize
from db.focus.stats import Sum, current_streak, read_sums
from db.focus.users import user_row
from db.sql.engine import autocommit
from db.sql.ownership import Row
from language.texts import instant_json

PERIODS = 12
"""How many weeks and months the trends show."""


def read_my_stats(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        row = user_row(connection, user)
        return stats_json(row, streak=current_streak(connection, row, today=_today_of(row)))


def read_summary() -> dict[str, int]:
    with autocommit() as connection:
        totals, active = summarize(connection, at=clock.now())
    return summary_json(totals, active=active)


def read_daily_stats(user: int, days: int) -> dict[str, Any]:
    with autocommit() as connection:
        shown = last_days(_today_of(user_row(connection, user)), days)
        sums = read_sums(connection, shown, day_of, owner=user)
    return {"daily_stats": sums_json(sums, named="date")}


def read_trends(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        today = _today_of(user_row(connection, user))
        weekly = read_sums(connection, last_weeks(today, PERIODS), week_of, owner=user)
        monthly = read_sums(connection, last_months(today, PERIODS), month_of, owner=user)
    return {
        "weekly": sums_json(weekly, named="period_start"),
        "monthly": sums_json(monthly, named="period_start"),
    }


def _today_of(user: Row) -> date:
    return day_at(clock.now(), zone_of(user.preferences))


def stats_json(user: Row, *, streak: int) -> dict[str, Any]:
    return {
        "user_id": str(user.uuid),
        "total_focus_min": user.total_focus_min,
        "total_sessions": user.total_sessions,
        "current_streak": streak,
        "best_streak": user.best_streak,
        "updated_at": instant_json(user.stats_updated_at),
    }


def summary_json(totals: Row, *, active: int) -> dict[str, int]:
    return {
        "total_users": totals.accounts,
        "total_sessions": totals.sessions,
        "total_focus_min": totals.focus_min,
        "total_plants": totals.plants,
        "active_today": active,
    }


def sums_json(sums: dict[date, Sum], *, named: str) -> list[dict[str, Any]]:
    return [{named: day.isoformat(), **one._asdict()} for day, one in sums.items()]
