"""Runs a server between a client and itself, and records every byte in both directions.

wire.py DIRECTORY COMMAND [ARGUMENT]...
"""

import os
import subprocess
import sys
import threading


def pump(source, target, log):
    """To nowhere if there is no target."""
    with open(log, "ab", buffering=0) as record:
        while data := os.read(source, 65536):
            record.write(data)
            view = memoryview(data)
            while view and target is not None:
                view = view[os.write(target, view):]


def main():
    directory, *command = sys.argv[1:]
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def to_server():
        try:
            pump(0, server.stdin.fileno(), f"{directory}/to_server")
        except BrokenPipeError:
            pass
        server.stdin.close()

    # Ends with the process: a server that has ended leaves it waiting for the client.
    threading.Thread(target=to_server, daemon=True).start()
    errors = threading.Thread(
        target=pump, args=(server.stderr.fileno(), None, f"{directory}/stderr")
    )
    errors.start()
    pump(server.stdout.fileno(), 1, f"{directory}/to_client")
    errors.join()
    sys.exit(server.wait())


main()
