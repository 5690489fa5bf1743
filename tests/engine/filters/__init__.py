"""Filters: the language, its errors, and what it keeps."""
