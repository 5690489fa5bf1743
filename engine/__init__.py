"""Everything syscope knows and computes, without a screen: sources, model, store, queries."""
