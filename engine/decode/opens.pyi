from engine.model.fds import Fds
from engine.model.live import Live

class Opens:
    def __init__(self, fds: Fds, live: Live) -> None: ...
