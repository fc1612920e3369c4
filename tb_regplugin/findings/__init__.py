"""What is wrong with a loss and its penalty terms, in plain words."""
