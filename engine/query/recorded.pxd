cpdef enum Kind:
    # How a parameter's value becomes text: by a function of row and bytes, ...
    ASKED = 0
    # ... as a number of its own length, ...
    SIGNED = 1
    UNSIGNED = 2
    HEX = 3
    OCTAL = 4
    # ... as a number and what it stands for, ...
    NAMED = 5
    NAMED_OCTAL = 6
    RESULT = 7
    DESCRIPTOR = 8
    # ... as a text up to its end, a path that begins where the thread works, or at the descriptor before it, ...
    STRING = 9
    PATH = 10
    PATH_AT = 11
    # ... as data, or by a function of bytes.
    PAYLOAD = 12
    REMEMBERED = 13

cpdef enum:
    # Stands for the working directory in place of an fd identity.
    WORKING = -2
