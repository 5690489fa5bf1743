"""Every field a filter, a column or a format can name: declared once, used everywhere."""
