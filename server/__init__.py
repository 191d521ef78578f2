"""Everything between the socket and a handler. The only place that knows Connexion, Flask and ASGI."""
