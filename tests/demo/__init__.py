"""The capture that ships with the program and how it is made: `python -m tests.demo`."""
