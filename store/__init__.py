"""库: the database; the only importer of sqlmodel."""
