"""What gRPC is told of the service's port, so that whoever connects costs little until it has said who it is."""

import resource
from contextlib import suppress

from cloud.request_stream import MESSAGE_BYTES_MAX

FILES_KEPT = 256
"""Of those that the process may open, for what is not a connection: the log, the indexes, the workers' pipes."""


def port_options(connections_max: int) -> tuple[tuple[str, int], ...]:
    """For grpc.aio.server."""
    return (
        # Ours is a quarter of it: what is a little too large gets our sentence, and not the status of a busy service.
        ("grpc.max_receive_message_length", 4 * MESSAGE_BYTES_MAX),
        # We read no header; gRPC's own take half a kilobyte. What is larger gets a status, much larger none of ours.
        ("grpc.max_metadata_size", 8 << 10),
        ("grpc.absolute_max_metadata_size", 16 << 10),
        # A board has a few. More than that waits at the client.
        ("grpc.max_concurrent_streams", 1000),
        # Whoever connects and says nothing, or the handshake byte by byte, is let go; further ones wait at the door.
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_allowed_incoming_connections", connections_max),
        # The board pings every few seconds while it waits, and without this it would be told too_many_pings. Each thing
        # we say pardons all strikes before; a flood is one that none of it answers.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_ping_strikes", 16),
        # And the other way: a board that vanished in the middle of a word is noticed, also where something between it
        # and us takes the bytes.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.ping_timeout_ms", 5_000),
        # An idle channel stays open: a board's is kept warm, for whenever somebody speaks.
        ("grpc.so_reuseport", 0),
    )


def room_for(connections_max: int) -> int:
    """Connections that may be had, with as many files as this process is allowed to open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections_max + FILES_KEPT
    if soft < wanted:
        more = min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted
        # Where it is forbidden, there are fewer connections.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
            soft = more
    return max(1, min(connections_max, soft - FILES_KEPT))
