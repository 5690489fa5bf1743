"""Data only: the C program the live source compiles with BCC, and the stub headers it compiles against."""
