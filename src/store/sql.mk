# Statements and migrations of sql/ as C tables.
