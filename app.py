"""Builds the server out of its parts; `python app.py` serves it."""

import argparse
import gc
from collections.abc import Sequence
from importlib import import_module

from flask import Flask

from commands import COMMANDS
from environment import VARIABLES
from security.quotas import Quotas
from security.shared_counts import SharedCounts
from security.tokens import SigningKey, sign_with
from server.app import Quintet
from serving import serve
from settings import Settings


def create_app() -> Flask:
    """Return the Flask application inside, for `flask --app app`: a command reads the settings that it needs itself."""
    flask = Quintet().app
    for command in COMMANDS:
        flask.cli.add_command(command)
    return flask


def build_server(settings: Settings, counts: SharedCounts | None = None) -> Quintet:
    """Build the server of this process, whose database is connected to already.

    `counts` are the counts of requests that it shares with other processes. Raises `ContractError`.
    """
    sign_with(
        SigningKey(
            settings.jwt_secret_key,
            settings.jwt_algorithm,
            settings.access_lifetime,
            settings.refresh_lifetime,
            settings.jwt_previous_keys,
        )
    )
    quotas = Quotas(settings.rate_limit_per_minute, settings.rate_limit_storage_url, counts)
    server = Quintet(
        allowed_origins=settings.allowed_origins,
        quotas=quotas,
        https_only=settings.https_only,
        demo=settings.demo,
        trusts_proxies=bool(settings.trusted_proxies),
        processes=settings.workers,
    )
    if settings.metrics:
        # Few servers have any, and importing what counts them takes fifteen milliseconds.
        import_module("server.metrics.page").add_metrics(server, settings.metrics_allow_ips)
    # What is here now stays: the garbage collector need not walk through all contracts for each body of a megabyte,
    # which takes 75 ms to parse instead of 400.
    gc.freeze()
    return server


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, or print what can be set; there are no options, for all settings are variables."""
    # Of all that a shell can hand over, only --help means something: an option that is ignored would mislead.
    argparse.ArgumentParser(
        prog="python app.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Serve all contracts until SIGTERM or SIGINT.\n\n{_settings_listed()}",
        allow_abbrev=False,
    ).parse_args(arguments)
    serve(build_server)


def _settings_listed() -> str:
    heading = "Settings are read from the environment and from the file .env beside app.py; the environment wins."
    width = max(map(len, VARIABLES))
    margin = "\n" + " " * (width + 4)
    lines = (
        f"  {name:<{width}}  {meaning}{f'{margin}default: {default}' if default else ''}"
        for name, (default, meaning) in VARIABLES.items()
    )
    return "\n".join([heading, "", *lines])


if __name__ == "__main__":
    main()
