from typing import Any
from uuid import UUID

from db.clock import instant_json, now
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
from db.sql.ownership import find_owned, list_owned, read_owned
from db.values import members_of
from security.tokens import Token


def create_plant(user: int, token: Token, body: dict[str, Any]) -> dict[str, Any]:
    planted = members_of(body, ("plant_type", "growth_stage", "plant_num"))
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        focus = find_owned(session, FocusSession, UUID(body["session_id"]), owner=user)
        plant = add_plant(focus, planted, stats=stats, at=now())
        return plant_json(plant, token, total=stats.plant_count)


def list_plants(user: int, token: Token, limit: int | None, offset: int) -> dict[str, Any]:
    with autocommit() as connection:
        plants = list_owned(connection, OLDEST_PLANTS_FIRST, owner=user, limit=limit, offset=offset)
        total = count_plants(connection, owner=user)
    return {"gardens": [plant_json(plant, token, total=total) for plant in plants], "total": total}


def read_plant_of_session(user: int, token: Token, session_id: str) -> dict[str, Any]:
    with autocommit() as connection:
        plant = read_plant_of(connection, UUID(session_id), owner=user)
        return plant_json(plant, token, total=count_plants(connection, owner=user))


def read_plant(user: int, token: Token, garden_id: str) -> dict[str, Any]:
    with autocommit() as connection:
        plant = read_owned(connection, Plant, UUID(garden_id), owner=user)
        return plant_json(plant, token, total=count_plants(connection, owner=user))


def update_plant(user: int, token: Token, garden_id: str, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        plant = find_owned(session, Plant, UUID(garden_id), owner=user)
        plant.change(members_of(body, ("growth_stage", "plant_type")), at=now())
        return plant_json(plant, token, total=stats.plant_count)


def delete_plant(user: int, garden_id: str) -> None:
    with transaction() as session, keeping_stats(session, owner=user) as stats:
        remove_plant(find_owned(session, Plant, UUID(garden_id), owner=user), stats)


def plant_json(plant: Any, token: Token, *, total: int) -> dict[str, Any]:
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
