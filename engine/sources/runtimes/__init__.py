"""What container runtimes tell of containers: names, images, labels, pods.

``docker`` asks Docker and Podman (HTTP), ``cri`` containerd and CRI-O (gRPC, over ``grpc``'s single calls), each over a
unix socket and within bounds; ``lookup`` asks whoever answers, on a thread of its own. Answers are the JSON objects
of the scap format (state-tracking §6), and ``events`` makes event blocks of them.
"""
