"""Where penalty terms come from: one module a framework."""
