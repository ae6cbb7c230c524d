"""What tools/mutants.py is made of: the changes, what is known of them, and the runs."""
