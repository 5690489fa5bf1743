"""Captures written: from the live machine, from what a store has kept, from another capture.

``chosen`` owns which events are written and which of them hidden, ``outputs`` the two kinds of files, ``recorder``
recording the machine into one file or many, ``following`` recording beside a screen, ``export`` making a smaller
capture of another. Formats are the business of ``sources``.
"""
