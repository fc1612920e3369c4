"""From numbers to event files."""
