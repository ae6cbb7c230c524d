"""What must be noticed: table.py holds the rules, judge.py applies them, alerts.py remembers what
was found.
"""
