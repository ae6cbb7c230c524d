"""What is wrong with a pack, how sure that is, and what to do: `packlab diagnose`.

evidence.py   a trace or a journal, boiled down to facts: alerts, how the groups differ
rules.py      what each fact says about cells, board, charger, line or use
finding.py    the facts weighed: problems, the likely culprit, what could not be watched
pages.py      the finding as text, page or JSON
"""
