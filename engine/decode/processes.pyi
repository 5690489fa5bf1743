# Made for other compiled modules: there is nothing of it in Python.
