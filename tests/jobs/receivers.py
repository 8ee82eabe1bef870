"""Receivers on loopback that count: HTTP (with faults on demand) and SMTP; standard library only."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HttpReceiver:
    """Counts effects by Idempotency-Key; `plan` gives the fault for the n-th request, or None."""

    def __init__(self, plan=lambda n, key: None):
        self.requests, self.effects, self.bad = 0, Counter(), []
        self.bodies: dict[str, bytes] = {}
        self.signatures: dict[str, str] = {}
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the sender was killed in the middle: no signature would fit
                    self.close_connection = True
                    return
                key = self.headers["Idempotency-Key"]
                with outer._lock:
                    outer.requests += 1
                    fault = plan(outer.requests, key)
                    if fault in (None, "slow", "cut", "lie"):  # taken in, whatever the answer is
                        outer.take(key, body, self.headers["X-Huiqi-Signature"])
                self.answer(fault)

            def answer(self, fault):
                if fault == "slow":
                    time.sleep(0.5)
                if fault in ("cut", "drop"):
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                status = fault if isinstance(fault, int) else 200
                text = b'{"key": "another"}' if fault == "lie" else b"{}"
                self.send_response(status)
                if status == 429:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):  # killed clients hang up
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, key, body, signature):
        """One effect a key; a repeat must be the same to the byte."""
        if self.bodies.get(key, body) != body:
            self.bad.append(key)
        self.effects[key] = 1
        self.bodies[key], self.signatures[key] = body, signature

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SmtpReceiver:
    """Takes letters and knows each by its Message-ID."""

    def __init__(self):
        self.letters: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    self.talk()
                except OSError:
                    return

            def talk(self):
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go\r\n")
                        self.letter()
                    elif word == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    else:
                        self.wfile.write(b"250 ok\r\n")

            def letter(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                if line:
                    head = next(x for x in lines if x.lower().startswith(b"message-id:"))
                    name = head.split(b":", 1)[1].strip().decode()
                    outer.letters[name] += 1
                    outer.texts[name] = b"".join(lines).decode()
                    self.wfile.write(b"250 taken\r\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}?from=office@example.org"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
