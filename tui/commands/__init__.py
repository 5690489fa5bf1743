"""Sub-commands of `tui`: each module has ``add_parser`` and ``run`` and needs no screen."""
