"""What make, CI and Windows call: one Python program, so that all of them do the same.

`python -m tools` lists the commands. The standard library is enough: the commands must run before
anything is installed.
"""
