from typing import Any

from db import personal_anchor
from db.clock import instant_json, now
from db.personal_anchor import Profile, find_profile
from db.sql.engine import autocommit, transaction
from db.values import members_of

MEMBERS = ("professional_title", "one_liner_bio")


def read_profile(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return profile_json(personal_anchor.read_profile(connection, owner=user, at=now()))


def update_profile(user: int, body: dict[str, Any]) -> dict[str, Any]:
    values = members_of(body, MEMBERS)
    if not values:
        return {"message": "No relevant profile fields provided for update."}
    with transaction() as session:
        profile = find_profile(session, owner=user, at=now())
        profile.change(values, at=now())
        return profile_json(profile)


def profile_json(profile: Profile) -> dict[str, Any]:
    return {
        "user_id": profile.account_id,
        "professional_title": profile.professional_title,
        "one_liner_bio": profile.one_liner_bio,
        "created_at": instant_json(profile.created_at),
        "updated_at": instant_json(profile.updated_at),
    }
