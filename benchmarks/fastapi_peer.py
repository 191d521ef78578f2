"""The server to compare with: FastAPI, SQLAlchemy's asyncio ORM, asyncpg, PyJWT.

It serves three operations of the workspace contract from the same tables, in the way that is usual for these libraries:
a dependency that checks the token's signature and expiry (and looks nothing up), an ORM session for each request,
Pydantic models in and out.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from db.schema import metadata
from db.tasks.tasks import Task

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=16)
sessions = async_sessionmaker(engine, expire_on_commit=False)
assert "accounts" in metadata.tables  # Loads all models, which refer to each other.
app = FastAPI()


class NewTodo(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=10_000)
    due_date: date | None = None
    status: Literal["pending", "in_progress", "completed", "deferred"] = "pending"
    priority: Literal["low", "medium", "high"] = "medium"


class Todo(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    account_id: int
    title: str
    description: str | None
    due_at: datetime | None
    status: str
    priority: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as one:
        yield one


def user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> int:
    try:
        claims = jwt.decode(
            credentials.credentials, os.environ["JWT_SECRET_KEY"], ["HS256"], audience="quintet", issuer="quintet"
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "invalid token") from error
    assert claims["type"] == "access"
    return int(os.environ["BENCH_ACCOUNT_ID"])


Session = Annotated[AsyncSession, Depends(session)]
User = Annotated[int, Depends(user)]


@app.get("/api/v1/todo/todos")
async def list_todos(db: Session, owner: User, limit: int = 100) -> list[Todo]:
    rows = select(Task).where(Task.account_id == owner).order_by(Task.created_at.desc(), Task.id.desc()).limit(limit)
    return [Todo.model_validate(one) for one in await db.scalars(rows)]


@app.get("/api/v1/todo/todos/{todo_id}")
async def read_todo(db: Session, owner: User, todo_id: int) -> Todo:
    task = await db.get(Task, todo_id)
    if task is None:
        raise HTTPException(404)
    if task.account_id != owner:
        raise HTTPException(403)
    return Todo.model_validate(task)


@app.post("/api/v1/todo/todos", status_code=201)
async def create_todo(db: Session, owner: User, body: NewTodo) -> Todo:
    at = datetime.now(UTC)
    task = Task(
        account_id=owner,
        title=body.title,
        description=body.description,
        due_at=body.due_date and datetime.combine(body.due_date, time(23, 59, 59), UTC),
        status=body.status,
        priority=body.priority,
        completed_at=at if body.status == "completed" else None,
        created_at=at,
        updated_at=at,
    )
    db.add(task)
    await db.commit()
    return Todo.model_validate(task)
