#!/usr/bin/python3
"""A mail server on loopback: keeps what it is given in a maildir.

Usage: mail_server.py PORT MAILDIR [CERTIFICATE KEY USER PASSWORD]
With a certificate it wants STARTTLS, and that USER signs in.
"""
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult


def secured(certificate, key, user, password):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def authenticate(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=(data.login, data.password) == (user.encode(), password.encode()))

    return {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticate}


port, maildir, *security = sys.argv[1:]
Controller(Mailbox(maildir), hostname="127.0.0.1", port=int(port), **(secured(*security) if security else {})).start()
threading.Event().wait()
