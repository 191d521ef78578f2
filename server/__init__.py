"""Everything between the socket and a handler. The only place that knows Connexion, Flask and ASGI."""

import logging
import warnings

# Connexion imports a test client that nobody uses here, and says so on standard error at every start.
warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
# What keeps the server from starting is said in one line; Connexion would say it in one more, before there is a log.
logging.getLogger("connexion").addHandler(logging.NullHandler())
