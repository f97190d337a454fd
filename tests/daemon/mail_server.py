#!/usr/bin/python3
"""A mail server on loopback: keeps what it is given in a maildir.

Usage: mail_server.py PORT MAILDIR [CERTIFICATE KEY USER PASSWORD]
With a certificate it wants STARTTLS, and that USER signs in. Nobody whose address begins with "gone" is known to it.
"""
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult


class Office(Mailbox):
    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def secured(certificate, key, user, password):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def authenticate(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()))

    return {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticate}


port, maildir, *security = sys.argv[1:]
Controller(Office(maildir), hostname="127.0.0.1", port=int(port), **(secured(*security) if security else {})).start()
threading.Event().wait()
