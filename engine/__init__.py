"""判定: decides. Pure: no I/O, no clock, no database, no web."""
