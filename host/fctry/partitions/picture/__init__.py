"""Pictures of a flash: flashmap.py says what is where, terminal.py and svg.py draw it to scale."""
