"""Questions and their answers: tables, lists and counts over (view, filter, window)."""
