"""Certificates of a run (Protocol/SPEC.md, N-6), and such as a run never makes; `openssl` signs them."""

import functools
import os
import secrets
import subprocess
from dataclasses import dataclass, replace

from tlslite.constants import SignatureScheme
from tlslite.utils.cryptomath import secureHash
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.utils.pem import dePem, dePemList
from tlslite.utils.rsakey import RSAKey

P_256, P_384, P_521 = (["EC", "-pkeyopt", f"ec_paramgen_curve:{name}"] for name in ("P-256", "P-384", "P-521"))
BRAINPOOL = ["EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"]
RSA, RSA_PSS = (
    [kind, "-pkeyopt", "rsa_keygen_bits:2048"] for kind in ("RSA", "RSA-PSS"))
ED25519, ED448 = ["ED25519"], ["ED448"]


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *arguments], input=input, capture_output=True, check=True).stdout


@dataclass(frozen=True)
class Identity:
    """What a peer shows: certificates in DER, its own first, and the key to sign with."""

    chain: tuple
    pem: str
    scheme: tuple

    @functools.cached_property
    def key(self):
        return parsePEMKey(self.pem, private=True, implementations=["python"])

    def sign(self, content, scheme=None):
        """A signature by a scheme of TLS 1.3, or by one that TLS 1.3 forbids."""
        scheme = scheme or self.scheme
        name = SignatureScheme.toRepr(scheme)
        if name in ("ed25519", "ed448"):
            return bytes(self.key.hashAndSign(bytearray(content)))
        digest = SignatureScheme.getHash(name)
        hashed = secureHash(bytearray(content), digest)
        if not name.startswith("rsa"):
            return bytes(self.key.sign(hashed, hashAlg=digest))
        if name.startswith("rsa_pkcs1"):
            return bytes(self.key.sign(RSAKey.addPKCS1Prefix(hashed, digest)))
        return bytes(self.key.sign(hashed, padding="pss", hashAlg=digest, saltLen=len(hashed)))

    def showing(self, *chain):
        return replace(self, chain=chain)


class Authority:
    """One that is in a file with its key: the listener's own, or a stranger's."""

    def __init__(self, path, run="run-1"):
        self.path, self.run = path, run
        with open(path) as file:
            self.certificate = bytes(dePem(file.read(), "CERTIFICATE"))

    @staticmethod
    def make(folder, run="run-1"):
        """Another authority for a run of that name."""
        path = f"{folder}/authority-{secrets.token_hex(4)}.pem"
        pem = openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "-", "-days",
            "1", "-subj", f"/O={run}/CN=Salvor run CA", "-addext", "keyUsage=critical,keyCertSign", "-addext",
            f"subjectAltName=URI:salvor://{run}/authority")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        return Authority(path, run)

    def identity(self, key=P_256, scheme=SignatureScheme.ecdsa_secp256r1_sha256, uri=None):
        """A host's, with a new key."""
        pem = openssl("genpkey", "-algorithm", *key)
        request = openssl("req", "-new", "-key", "/dev/stdin", "-subj", f"/O={self.run}/CN=rescue-1", input=pem)
        extensions = f"{self.path}.{secrets.token_hex(4)}.cnf"
        with open(extensions, "w") as file:
            file.write(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                "extendedKeyUsage=clientAuth,serverAuth\n"
                f"subjectAltName=URI:{uri or f'salvor://{self.run}/host/rescue-1'}\n")
        own = openssl(
            "x509", "-req", "-CA", self.path, "-CAkey", self.path, "-set_serial", str(secrets.randbits(120)), "-days",
            "1", "-extfile", extensions, input=request)
        os.unlink(extensions)
        chain = (bytes(dePemList(own.decode(), "CERTIFICATE")[0]), self.certificate)
        return Identity(chain, pem.decode(), scheme)
