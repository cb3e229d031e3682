"""E-mail by SMTP: a letter to one person."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from urllib.parse import urlsplit

from archive.reminding.delivering import Letter, NotSent, Unclear

SECONDS = 20.0
"""How long a mail server may be silent."""

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class Mail:
    """Sends by one mail server.

    ``url`` is ``smtp://host:port`` (plain, for a server on this very machine), ``smtp+starttls://`` or ``smtps://``;
    ``ca`` a file of authorities besides the usual ones ("": none).
    """

    url: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""

    longest = None

    def send(self, address: str, letter: Letter) -> None:
        """Send a letter, as ``archive.reminding.delivering.Sender``."""
        message = EmailMessage(policy=SMTP)  # its lines end as servers ask: one of bare newlines is refused
        message["From"], message["To"], message["Subject"] = self.sender, address, letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{letter.key.hex}@{self.sender.rpartition('@')[2].strip('> ')}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, cte="base64")  # not every server takes eight bits
        with self._connected() as server:
            self._hand_over(server, address, message)

    def check(self) -> None:
        """Say hello to the server and sign in. Raises ``NotSent``."""
        with self._connected():
            pass

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        with ExitStack() as opened:
            try:
                server = opened.enter_context(closing(self._server()))
                server.ehlo_or_helo_if_needed()
                if self.user:
                    server.login(self.user, self.password)
            except (smtplib.SMTPAuthenticationError, UnicodeError) as error:  # a name that no server understands
                raise NotSent("mail_sign_in", again=True) from error
            except smtplib.SMTPNotSupportedError as error:
                raise NotSent("mail_no_tls", again=True) from error
            except ssl.SSLError as error:
                raise NotSent("mail_certificate", again=True) from error
            except (OSError, smtplib.SMTPException) as error:
                raise NotSent("mail_away", again=True) from error
            yield server
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _server(self) -> smtplib.SMTP:
        """Connect, by TLS where the address says so."""
        where = urlsplit(self.url)
        host, port = where.hostname or "", where.port or PORTS[where.scheme]
        context = ssl.create_default_context(cafile=self.ca or None)
        if where.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(host, port, timeout=SECONDS)
        if where.scheme == "smtp+starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _hand_over(self, server: smtplib.SMTP, address: str, message: EmailMessage) -> None:
        try:
            for code, _said in (server.mail(self.sender), server.rcpt(address)):
                if code >= 400:
                    raise NotSent("mail_refused_address", again=code < 500)
        except UnicodeError as error:  # letters that mail servers do not take in an address
            raise NotSent("mail_refused_address", again=False) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent("mail_away", again=True) from error
        try:
            code, _said = server.data(message.as_bytes())
        except smtplib.SMTPDataError as error:
            raise NotSent("mail_refused", again=error.smtp_code < 500) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unclear("mail_broke_off") from error
        if code >= 400:
            raise NotSent("mail_refused", again=code < 500)
