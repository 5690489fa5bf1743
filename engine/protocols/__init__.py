"""Questions and answers that programs send each other, read from the captured bytes of their connections.

Each module reads one protocol: HTTP/1, DNS, PostgreSQL, MySQL, Redis. ``exchanges`` finds them among the events of a
store and puts answers to questions. What is read is what was captured: of a payload cut short its beginning. All of it
may be hostile: nothing here trusts a length, and everything that is kept has a bound.
"""
