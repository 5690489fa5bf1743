"""sysdig's filter language: text to syntax tree, tree to plan, plan to a mask over a segment."""
