"""The native capture: what a store holds, in a file that opens without decoding anything (docs/native-format.md).

``frames`` owns framing and checksums, ``schema`` what rows of tables are made of, ``told`` how they become bodies and
``taken`` how bodies become rows, ``writer`` following a store into a file, ``source`` opening one, ``segments`` columns
and raw bytes read when they are asked for.
"""
