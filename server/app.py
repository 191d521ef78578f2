"""The server: one Connexion application over all contracts, with what is plugged in at Connexion's own places."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

import werkzeug.exceptions
from connexion import FlaskApp
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.lifespan import LifespanMiddleware
from connexion.middleware.request_validation import RequestValidationMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.operations import AbstractOperation
from connexion.resolver import Resolver
from sqlalchemy.util import greenlet_spawn

from db.sql.engine import disconnect
from security.quotas import Quotas
from server.answers.errors import add_error_handlers
from server.background import background_work
from server.contracts import CONTRACTS, Contract
from server.edge.cors import Cors
from server.edge.https_only import HttpsOnly
from server.edge.quota_check import QuotaCheck
from server.edge.request_log import RequestLog
from server.lanes import Lanes
from server.pages.views import pages
from server.pages.whole_answers import WholeAnswers
from server.routing.router import Router
from server.routing.routes import Routes, operation_id_of
from server.security_schemes import security_map
from server.validation.reading import BodyReading
from server.validation.validators import no_parser, validator_map
from server.views import ContractError, Views


class Quintet(FlaskApp):
    """Connexion's FlaskApp, whole before the first request."""

    def __init__(
        self,
        *,
        allowed_origins: tuple[str, ...] = (),
        quotas: Quotas | None = None,
        https_only: bool = False,
        demo: bool = False,
        trusts_proxies: bool = False,
        processes: int = 1,
    ) -> None:
        """Build the application, without quotas unless some are given. `demo` has the home page offer an account.

        `trusts_proxies`: uvicorn believes some proxy what the scheme was. `processes`: how many serve together.
        Raises `ContractError` when a contract and its handlers do not fit together.
        """
        quotas, self.lanes, routes = quotas or Quotas(0), Lanes(processes), Routes(CONTRACTS)
        https = [partial(HttpsOnly, trusts_proxies=trusts_proxies)] if https_only else []
        super().__init__(
            "server",
            lifespan=partial(_lifespan, quotas, self.lanes),
            server_args={"static_folder": None},
            middlewares=_slots(routes, self.lanes, quotas, allowed_origins, https),
            security_map=security_map(self.lanes, allowed_origins),
            validator_map=validator_map(),
            uri_parser_class=no_parser,  # type: ignore[arg-type]
        )
        self._add_contracts(routes)
        self._add_pages(demo=demo)
        # Connexion would build its stack at the first request, and only then say what does not fit.
        self.middleware.app, self.middleware.middleware_stack = self.middleware._build_middleware_stack()

    def _add_contracts(self, routes: Routes) -> None:
        for contract in CONTRACTS:
            document = routes.document_of(contract)
            self.add_api(document, base_path=contract.mount, name=contract.name, resolver=HandlerResolver(contract))
        add_error_handlers(self)

    def _add_pages(self, *, demo: bool) -> None:
        self.app.config["DEMO"] = demo
        self.app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        self.app.url_map.merge_slashes = self.app.url_map.redirect_defaults = False
        self.app.register_blueprint(pages)
        self._middleware_app.asgi_app = WholeAnswers(self.app)  # type: ignore[assignment]

    def _http_exception(self, exc: werkzeug.exceptions.HTTPException) -> NoReturn:
        """Raise what Flask raised: Connexion's own loses `Allow`."""
        raise exc


def _slots(
    routes: Routes, lanes: Lanes, quotas: Quotas, allowed_origins: tuple[str, ...], https: list[Any]
) -> list[Any]:
    """List what every request passes, in Connexion's order. After the last comes Connexion's Flask application.

    Connexion's ServerErrorMiddleware is left out, since the ExceptionMiddleware answers every exception; so are its
    SwaggerUIMiddleware, which takes one contract (the pages take all), and its ResponseValidationMiddleware (the tests
    hold every answer to its contract).
    """
    return [
        RequestLog,
        *https,
        partial(Cors, allowed_origins=allowed_origins),
        ExceptionMiddleware,  # Connexion's; what it answers with is in server/answers/errors.py
        partial(Router, routes=routes),  # in the place of Connexion's RoutingMiddleware, and one of its kind
        partial(QuotaCheck, quotas=quotas),
        SecurityMiddleware,  # Connexion's, with `security_map`
        BodyReading,
        RequestValidationMiddleware,  # Connexion's, with `validator_map` and `uri_parser_class`
        LifespanMiddleware,  # Connexion's
        ContextMiddleware,  # Connexion's
        partial(Views, lanes=lanes),
    ]


class HandlerResolver(Resolver):
    """Finds handlers by name: contract, tag and operationId are package, module and function."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(self._function_named)
        self.contract = contract

    def resolve_operation_id(self, operation: AbstractOperation) -> str:
        """Return the name that an operation goes by."""
        return operation_id_of(self.contract, self.contract.document["paths"][operation.path][operation.method])

    def _function_named(self, name: str) -> Any:
        module, _, function = f"handlers.{name}".rpartition(".")
        try:
            return getattr(import_module(module), function)
        except (ImportError, AttributeError) as error:
            # Not Connexion's ResolverError, which its middlewares pass over in silence.
            raise ContractError(f"openapi/{self.contract.name}.yaml asks for handlers.{name}: {error}") from error


@asynccontextmanager
async def _lifespan(quotas: Quotas, lanes: Lanes, _app: object) -> AsyncIterator[None]:
    async with background_work(lanes.writes):
        yield
    await quotas.close()
    await greenlet_spawn(disconnect)
