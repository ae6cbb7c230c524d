"""What several formats share.

base.py: what a format is. channels.py: which wire a name in somebody else's file means.
comments.py: what files of ours say in their comments. order.py, seconds.py, table.py: order, times
and tables.
"""
