"""Who and what events are about: threads, fds, containers, users, and the rules that keep them true."""
