API = "/api/v1"
