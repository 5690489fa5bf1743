"""The parts screens are made of. They draw and report what was done to them; they ask nobody for data."""
