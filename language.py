from db.clock import *
from db.clock import instant, instant_json, optional_instant
from db.values import WHITE_SPACE, trimmed
