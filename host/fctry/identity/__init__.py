"""Who is who: what a device gets, and who got what."""
