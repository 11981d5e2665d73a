"""A coordinator for one agent, from SPEC.md alone: an authority, enrolment, and calls. Needs `openssl` for certificates,
which Python's standard library can check and not sign, and the messages of ../salvor/v1 (protoc --python_out)."""

import hashlib
import os
import secrets
import socket
import ssl
import subprocess

from salvor.v1 import bootstrap_pb2, enrolment_pb2
from salvor_wire import BLOCK, COMPRESSION, CONNECTION_WINDOW, ENTRIES, FRAME, LONGEST, STREAM_WINDOW, STREAMS, Connection

# N-2.
ENROLMENT_LIMITS = {
    STREAMS: 2, STREAM_WINDOW: 64 << 10, CONNECTION_WINDOW: 128 << 10, FRAME: 32 << 10, LONGEST: 32 << 10,
    BLOCK: 4096, ENTRIES: 16, COMPRESSION: 0}


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *arguments], input=input, capture_output=True, check=True).stdout


class Authority:
    """A run's certificate authority (N-6), in a folder that only its owner can read."""

    def __init__(self, run, folder):
        self.run, self.folder = run, folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.key, self.certificate = f"{folder}/authority.key", f"{folder}/authority.pem"
        with open(f"{folder}/ca.cnf", "w") as file:
            file.write(
                "[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE,pathlen:0\n"
                f"keyUsage=critical,keyCertSign\nsubjectAltName=URI:salvor://{run}/authority\n")
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key,
            "-out", self.certificate, "-days", "2", "-subj", f"/O={run}/CN=Salvor run CA", "-config",
            f"{folder}/ca.cnf", "-extensions", "ca")
        self.fingerprint = hashlib.sha256(openssl("x509", "-in", self.certificate, "-outform", "DER")).digest()
        request = f"{folder}/coordinator.csr"
        self.own_key, self.chain = f"{folder}/coordinator.key", f"{folder}/coordinator.pem"
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.own_key,
            "-out", request, "-subj", f"/O={run}/CN=coordinator", "-config", f"{folder}/ca.cnf")
        with open(request, "rb") as file:
            own = self.sign(file.read(), f"salvor://{run}/coordinator", "PEM")
        with open(self.chain, "wb") as chain, open(self.certificate, "rb") as authority:
            chain.write(openssl("x509", "-inform", "DER", input=own) + authority.read())

    def sign(self, request, uri, form):
        """A certificate in DER over the key of a request. Nothing else is taken from the request."""
        extensions = f"{self.folder}/end.cnf"
        with open(extensions, "w") as file:
            file.write(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=URI:{uri}\n")
        return openssl(
            "x509", "-req", "-inform", form, "-CA", self.certificate, "-CAkey", self.key, "-set_serial",
            str(secrets.randbits(120)), "-days", "1", "-extfile", extensions, "-outform", "DER", input=request)


class Coordinator:
    """Waits for one agent, enrols it, and has its calls."""

    def __init__(self, run, host, folder, address=("127.0.0.1", 0)):
        self.run, self.host = run, host
        self.authority = Authority(run, folder)
        self.token = secrets.token_bytes(32)
        self.listener = socket.create_server(address)
        self.port = self.listener.getsockname()[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.authority.chain, self.authority.own_key)
        context.load_verify_locations(self.authority.certificate)
        # Who enrols has no certificate yet (N-1); who does not, and has none, is refused below (N-4).
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["salvor/1", "salvor-enrol/1"])
        if os.environ.get("SSLKEYLOGFILE"):
            context.keylog_filename = os.environ["SSLKEYLOGFILE"]
        self.context = context

    def bootstrap(self, address, timeout=600):
        """What the rescue VM is told: Agent/README.md says where it lies there."""
        return bootstrap_pb2.Bootstrap(
            version=1, host=self.host, run=self.run, coordinator=address, ca_fingerprint=self.authority.fingerprint,
            enrolment_token=self.token, coordinator_timeout_seconds=timeout).SerializeToString()

    def agent(self, timeout=120):
        """A connection to the agent, which is enrolled first where it comes without a certificate."""
        self.listener.settimeout(timeout)
        while True:
            plain, _ = self.listener.accept()
            plain.settimeout(30)
            try:
                stream = self.context.wrap_socket(plain, server_side=True)
            except (ssl.SSLError, OSError):
                continue
            protocol, certificate = stream.selected_alpn_protocol(), stream.getpeercert()
            if protocol == "salvor-enrol/1" and not certificate:
                self.enrol(Connection(stream, ENROLMENT_LIMITS))
            elif protocol == "salvor/1" and self.names_host(certificate):
                return Connection(stream)
            else:
                stream.close()

    def names_host(self, certificate):
        names = (certificate or {}).get("subjectAltName", ())
        return names == (("URI", f"salvor://{self.run}/host/{self.host}"),)

    def enrol(self, connection):
        """N-3."""
        answer = enrolment_pb2.EnrolmentResponse.FromString(
            connection.unary("salvor.v1.Enrolment/Request", b"", timeout=30))
        if not secrets.compare_digest(answer.token, self.token) or answer.host != self.host:
            raise PermissionError("the token, or the host, is another")
        self.token = secrets.token_bytes(32)
        certificate = self.authority.sign(
            answer.certificate_signing_request, f"salvor://{self.run}/host/{self.host}", "DER")
        connection.unary(
            "salvor.v1.Enrolment/Install",
            enrolment_pb2.InstallRequest(certificate=certificate).SerializeToString(), timeout=30)
        connection.close()
