"""Small programs and recordings, right ones and wrong ones, and what is to be found in each."""
