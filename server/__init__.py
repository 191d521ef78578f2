"""Everything between the socket and a handler. The only place that knows Connexion, Flask and ASGI."""

import warnings

# Connexion imports a test client that nobody uses here, and says so on standard error at every start.
warnings.filterwarnings("ignore", "Using `httpx` with `starlette.testclient`")
