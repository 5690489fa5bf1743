from engine.model.live import Live

class Samples:
    def __init__(self, live: Live, columns: object) -> None: ...
