"""The shapes that errors have, one for each contract's text. No shape ever repeats a submitted value."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from db.clock import instant_json
from server.refusals import Refusal

ErrorShape = Callable[[Refusal, datetime], dict[str, Any]]

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


def problem(refusal: Refusal, _at: datetime) -> dict[str, Any]:
    """Shape an error as a problem document (RFC 9457), with a stable code and what is wrong with each member."""
    shape: dict[str, Any] = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.message,
        "code": refusal.code,
        "message": refusal.message,
    }
    if refusal.errors:
        shape["errors"] = [asdict(error) for error in refusal.errors]
    return shape


def nested_detail(refusal: Refusal, at: datetime) -> dict[str, Any]:
    """Shape an error as focusguard's text shows it ("Standard Error Responses"): four members below `detail`."""
    detail = {
        "message": refusal.message,
        "error_code": refusal.code.upper(),
        "status_code": refusal.status,
        "timestamp": instant_json(at),
    }
    return {"detail": detail}
