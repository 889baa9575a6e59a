"""A chip: its ROM and loaders, registers, eFuses and flash, and how it boots."""
