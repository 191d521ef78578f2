from typing import Any

import clock
from db.personal_anchor import LATEST_ACHIEVEMENTS_FIRST, Achievement
from db.sql.engine import autocommit, transaction
from db.sql.listings import Pages
from db.sql.ownership import Row, add, find_owned, read_owned
from language.texts import day_json, instant_json, renamed

MEMBERS = {
    "title": "title",
    "description": "description",
    "quantifiable_results": "quantifiable_results",
    "core_skills_json": "core_skills_json",
    "date_achieved": "date_achieved",
}


def list_achievements(user: int, limit: int | None, offset: int) -> Pages:
    return LATEST_ACHIEVEMENTS_FIRST.pages(owner=user, limit=limit, offset=offset).shown_as(achievement_json)


def create_achievement(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        return achievement_json(add(session, Achievement, achievement_values(body), owner=user, at=clock.now()))


def read_achievement(user: int, achievement_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return achievement_json(read_owned(connection, Achievement, achievement_id, owner=user))


def update_achievement(user: int, achievement_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        achievement = find_owned(session, Achievement, achievement_id, owner=user)
        achievement.change(achievement_values(body), at=clock.now())
        return achievement_json(achievement)


def delete_achievement(user: int, achievement_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, Achievement, achievement_id, owner=user))


def achievement_values(body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    if "core_skills_json" in values:
        # The model knows no list that is null.
        values["core_skills_json"] = values["core_skills_json"] or []
    return values


def achievement_json(achievement: Row) -> dict[str, Any]:
    return {
        "id": achievement.id,
        "user_id": achievement.account_id,
        "title": achievement.title,
        "description": achievement.description,
        "quantifiable_results": achievement.quantifiable_results,
        "core_skills_json": achievement.core_skills_json,
        "date_achieved": day_json(achievement.date_achieved),
        "created_at": instant_json(achievement.created_at),
        "updated_at": instant_json(achievement.updated_at),
    }
