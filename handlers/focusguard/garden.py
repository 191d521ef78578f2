from functools import partial
from typing import Any
from uuid import UUID

import clock
from db.focus.sessions import (
    OLDEST_PLANTS_FIRST,
    FocusSession,
    Plant,
    add_plant,
    count_plants,
    read_plant_of,
    remove_plant,
)
from db.focus.stats import keeping_stats
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, find_owned, read_owned
from language.texts import instant_json, renamed
from security.tokens import Token

CHANGEABLE_MEMBERS = {"plant_type": "plant_type", "growth_stage": "growth_stage"}
MEMBERS = {**CHANGEABLE_MEMBERS, "plant_num": "plant_num"}


def create_plant(user: int, token: Token, body: dict[str, Any]) -> dict[str, Any]:
    planted = renamed(body, MEMBERS)
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        focus = find_owned(session, FocusSession, body["session_id"], owner=user)
        plant = add_plant(focus, planted, stats=stats, at=clock.now())
        return plant_json(plant, token, total=stats.plant_count)


def list_plants(user: int, token: Token, limit: int | None, offset: int) -> dict[str, Any]:
    with autocommit() as connection:
        total = count_plants(connection, owner=user)
    plants = OLDEST_PLANTS_FIRST.pages(owner=user, limit=limit, offset=offset)
    return {"gardens": plants.shown_as(partial(plant_json, token=token, total=total)), "total": total}


def read_plant_of_session(user: int, token: Token, session_id: UUID) -> dict[str, Any]:
    with autocommit() as connection:
        plant = read_plant_of(connection, session_id, owner=user)
        return plant_json(plant, token, total=count_plants(connection, owner=user))


def read_plant(user: int, token: Token, garden_id: UUID) -> dict[str, Any]:
    with autocommit() as connection:
        plant = read_owned(connection, Plant, garden_id, owner=user)
        return plant_json(plant, token, total=count_plants(connection, owner=user))


def update_plant(user: int, token: Token, garden_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        plant = find_owned(session, Plant, garden_id, owner=user)
        plant.change(renamed(body, CHANGEABLE_MEMBERS), at=clock.now())
        return plant_json(plant, token, total=stats.plant_count)


def delete_plant(user: int, garden_id: UUID) -> None:
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        remove_plant(find_owned(session, Plant, garden_id, owner=user), stats)


def plant_json(plant: Row, token: Token, *, total: int) -> dict[str, Any]:
    return {
        "id": str(plant.id),
        "user_id": str(token.account_uuid),
        "session_id": str(plant.session_id),
        "plant_num": plant.plant_num,
        "plant_type": plant.plant_type,
        "growth_stage": plant.growth_stage,
        "total_plants": total,
        "created_at": instant_json(plant.created_at),
    }
