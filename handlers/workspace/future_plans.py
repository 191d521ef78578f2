from typing import Any

import clock
from db.personal_anchor import SOONEST_PLANS_FIRST, FuturePlan
from db.sql.engine import autocommit, transaction
from db.sql.listings import Pages
from db.sql.ownership import Row, add, find_owned, read_owned
from language.texts import day_json, instant_json, renamed

MEMBERS = {
    "goal_type": "goal_type",
    "description": "description",
    "target_date": "target_date",
    "status": "status",
}


def list_future_plans(user: int, limit: int | None, offset: int) -> Pages:
    return SOONEST_PLANS_FIRST.pages(owner=user, limit=limit, offset=offset).shown_as(future_plan_json)


def create_future_plan(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        return future_plan_json(add(session, FuturePlan, renamed(body, MEMBERS), owner=user, at=clock.now()))


def read_future_plan(user: int, plan_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return future_plan_json(read_owned(connection, FuturePlan, plan_id, owner=user))


def update_future_plan(user: int, plan_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        plan = find_owned(session, FuturePlan, plan_id, owner=user)
        plan.change(renamed(body, MEMBERS), at=clock.now())
        return future_plan_json(plan)


def delete_future_plan(user: int, plan_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, FuturePlan, plan_id, owner=user))


def future_plan_json(plan: Row) -> dict[str, Any]:
    return {
        "id": plan.id,
        "user_id": plan.account_id,
        "goal_type": plan.goal_type,
        "description": plan.description,
        "target_date": day_json(plan.target_date),
        "status": plan.status,
        "created_at": instant_json(plan.created_at),
        "updated_at": instant_json(plan.updated_at),
    }
