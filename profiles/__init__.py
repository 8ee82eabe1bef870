"""一企一档: sources, identity, files and portraits of enterprises."""
