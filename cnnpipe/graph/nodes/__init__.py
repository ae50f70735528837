"""One file per node type, or per close family of them."""
