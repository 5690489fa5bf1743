"""All that was captured, in memory: segments of columns, the tables they point at, and raw bytes."""
