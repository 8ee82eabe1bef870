"""测速: the same work for us and for the peers that are installed, in one run."""
