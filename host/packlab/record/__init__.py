"""Recording a line as it happens, and losing nothing of it. adapters.py and dongle.py hear,
book.py keeps what was heard in files, gauge.py judges the line meanwhile, recorder.py joins them,
and command.py has the words of `packlab capture`.
"""
