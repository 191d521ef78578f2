from typing import Any

import clock
from db import personal_anchor
from db.personal_anchor import find_profile
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row
from language.texts import instant_json, renamed

MEMBERS = {"professional_title": "professional_title", "one_liner_bio": "one_liner_bio"}


def read_profile(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return profile_json(personal_anchor.read_profile(connection, owner=user, at=clock.now()))


def update_profile(user: int, body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    if not values:
        return {"message": "No relevant profile fields provided for update."}
    with transaction() as session:
        profile = find_profile(session, owner=user, at=clock.now())
        profile.change(values, at=clock.now())
        return profile_json(profile)


def profile_json(profile: Row) -> dict[str, Any]:
    return {
        "user_id": profile.account_id,
        "professional_title": profile.professional_title,
        "one_liner_bio": profile.one_liner_bio,
        "created_at": instant_json(profile.created_at),
        "updated_at": instant_json(profile.updated_at),
    }
