"""The native capture: what a store holds, in a file that opens without decoding anything (docs/native-format.md).

``frames`` owns framing and checksums, ``tables`` how rows of tables become bodies and back, ``writer`` following a
store into a file, ``source`` opening one, ``segments`` columns and raw bytes read when they are asked for.
"""
