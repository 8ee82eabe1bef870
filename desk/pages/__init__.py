"""各页: one module a subject, each with a `router`."""
