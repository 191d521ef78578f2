"""What the texts of the contracts state; a contract that was written without a text has no entry here."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

ITEM = {200, 401, 403, 404}


class Text(NamedTuple):
    """What a text says of its contract: the URL that its paths hang below, and the statuses of each operation."""

    url: str
    size: int
    """How many operations it has."""
    statuses: Mapping[str, AbstractSet[int]]


TEXTS = {
    "workspace": Text(
        "/api/v1",
        29,
        {
            "POST /auth/register": {201, 400, 409, 500},
            "POST /auth/login": {200, 400, 401},
            "GET /auth/me": {200, 401, 404},
            "POST /auth/refresh": {200, 401, 422},
            "POST /auth/logout": {200, 401, 500},
            "POST /auth/logout-refresh": {200, 401, 422, 500},
            "POST /auth/change-password": {200, 400, 401, 404, 500},
            "GET /todo/todos": {200, 401},
            "POST /todo/todos": {201, 400, 401, 500},
            "GET /todo/todos/{todo_id}": ITEM,
            "PUT /todo/todos/{todo_id}": ITEM | {400, 500},
            "DELETE /todo/todos/{todo_id}": {204, 401, 403, 404, 500},
            "GET /anchor/profile": {200, 401, 404, 500},
            "PUT /anchor/profile": {200, 400, 401, 404, 500},
            "GET /anchor/achievements": {200, 401},
            "POST /anchor/achievements": {201, 400, 401, 500},
            "GET /anchor/achievements/{achievement_id}": ITEM,
            "PUT /anchor/achievements/{achievement_id}": ITEM | {400, 500},
            "DELETE /anchor/achievements/{achievement_id}": {204, 401, 403, 404, 500},
            "GET /anchor/current_focus": {200, 401},
            "POST /anchor/current_focus": {201, 400, 401, 500},
            "GET /anchor/current_focus/{focus_id}": ITEM,
            "PUT /anchor/current_focus/{focus_id}": ITEM | {400, 500},
            "DELETE /anchor/current_focus/{focus_id}": {204, 401, 403, 404, 500},
            "GET /anchor/future_plans": {200, 401},
            "POST /anchor/future_plans": {201, 400, 401, 500},
            "GET /anchor/future_plans/{plan_id}": ITEM,
            "PUT /anchor/future_plans/{plan_id}": ITEM | {400, 500},
            "DELETE /anchor/future_plans/{plan_id}": {204, 401, 403, 404, 500},
        },
    ),
    "fullstack": Text(
        "/v1",
        15,
        {
            "POST /auth/login": {200, 401, 422},
            "POST /auth/register": {201, 400, 422},
            "POST /auth/refresh": {200, 401},
            "GET /users/me": {200},
            "PUT /users/me": {200, 400, 422},
            "GET /tasks": {200},
            "POST /tasks": {201, 422},
            "GET /tasks/{task_id}": {200, 404},
            "PUT /tasks/{task_id}": {200, 404, 422},
            "DELETE /tasks/{task_id}": {204, 404},
            "PATCH /tasks/{task_id}/toggle-status": {200, 404},
            "GET /tags": {200},
            "POST /tags": {201, 400, 422},
            "PUT /tags/{tag_id}": {200, 400, 404, 422},
            "DELETE /tags/{tag_id}": {204, 404},
        },
    ),
    "tasktracker": Text(
        "/api/v1",
        14,
        dict.fromkeys(
            [
                "POST /auth/register",
                "POST /auth/login",
                "POST /auth/refresh",
                "POST /auth/logout",
                "GET /tasks",
                "POST /tasks",
                "GET /tasks/{task_id}",
                "PUT /tasks/{task_id}",
                "DELETE /tasks/{task_id}",
                "GET /categories",
                "POST /categories",
                "GET /categories/{category_id}",
                "PUT /categories/{category_id}",
                "DELETE /categories/{category_id}",
            ],
            frozenset({500}),
        ),
    ),
    "focusguard": Text(
        "/api",
        30,
        dict.fromkeys(
            [
                "POST /auth/register",
                "POST /auth/login",
                "POST /auth/logout",
                "POST /auth/refresh",
                "GET /auth/me",
                "GET /users/me",
                "PUT /users/me",
                "PATCH /users/me/password",
                "DELETE /users/me",
                "GET /users/{user_id}",
                "POST /sessions",
                "GET /sessions",
                "GET /sessions/{session_id}",
                "PATCH /sessions/{session_id}",
                "DELETE /sessions/{session_id}",
                "GET /sessions/active",
                "POST /garden",
                "GET /garden",
                "GET /garden/{garden_id}",
                "PATCH /garden/{garden_id}",
                "DELETE /garden/{garden_id}",
                "GET /garden/session/{session_id}",
                "GET /stats/me",
                "GET /stats/summary",
                "GET /stats/daily/{days}",
                "GET /stats/trends",
                "GET /leaderboard/xp",
                "GET /leaderboard/focus-time",
                "GET /leaderboard/streak",
                "GET /leaderboard/sessions",
            ],
            frozenset({429, 500}),
        ),
    ),
    "todo": Text(
        "/api",
        6,
        {
            "POST /{user_id}/tasks": {201, 400, 401, 403, 500},
            "GET /{user_id}/tasks": {200, 401, 403, 500},
            "GET /{user_id}/tasks/{id}": {200, 401, 403, 404, 500},
            "PUT /{user_id}/tasks/{id}": {200, 400, 401, 403, 404, 500},
            "DELETE /{user_id}/tasks/{id}": {200, 401, 403, 404, 500},
            "PATCH /{user_id}/tasks/{id}/complete": {200, 401, 403, 404, 500},
        },
    ),
}
"""tasktracker's text and focusguard's state statuses for all operations together."""
