"""政策: read, decompose, keep and check policy documents."""
