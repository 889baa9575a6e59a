"""Where values come from: a file a kind."""
