"""The shapes that errors have, one for each contract's text. No shape ever repeats a submitted value."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from language.texts import instant_json
from server.errors.refusals import Refusal, bad_input_message

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
        shape["errors"] = [error._asdict() for error in refusal.errors]
    return shape


def detail_code_timestamp(refusal: Refusal, at: datetime) -> dict[str, Any]:
    """Shape an error as three members (fullstack, "Error Format"): the first has to say all that is wrong."""
    detail = bad_input_message(refusal.errors) if refusal.errors else refusal.message
    return {"detail": detail, "error_code": refusal.code.upper(), "timestamp": instant_json(at)}


def nested(refusal: Refusal, _at: datetime) -> dict[str, Any]:
    """Shape an error as one member `error` with code, message and details (todo, "Error Response Format")."""
    details = [error._asdict() for error in refusal.errors] or None
    return {"error": {"code": refusal.code, "message": refusal.message, "details": details}}


def nested_detail(refusal: Refusal, at: datetime) -> dict[str, Any]:
    """Shape an error as focusguard's text shows it ("Standard Error Responses"): four members below `detail`."""
    detail = {
        "message": bad_input_message(refusal.errors) if refusal.errors else refusal.message,
        "error_code": refusal.code.upper(),
        "status_code": refusal.status,
        "timestamp": instant_json(at),
    }
    return {"detail": detail}
