"""Which ways out of the house the settings open."""

from archive.clock import Clock
from archive.model import Channel
from archive.reminding.delivering import Sender, Ways
from runtime.sending.hooks import Sms, dingtalk, feishu, wecom
from runtime.sending.mail import Mail
from runtime.settings import Settings


def mail_of(settings: Settings) -> Mail | None:
    """Return the mail server; None where the house has none."""
    if not settings.mail_url:
        return None
    return Mail(settings.mail_url, settings.mail_from, settings.mail_user, settings.mail_password, settings.mail_ca)


def ways_of(settings: Settings, clock: Clock) -> Ways:
    """Return the ways out. Where the address of the house's pages is not named, they begin with this machine's own."""
    found: dict[Channel, Sender] = {}
    if mail := mail_of(settings):
        found[Channel.EMAIL] = mail
    if settings.sms_url:
        found[Channel.SMS] = Sms(settings.sms_url, settings.sms_token)
    if settings.wecom_url:
        found[Channel.WECOM] = wecom(settings.wecom_url)
    if settings.dingtalk_url:
        found[Channel.DINGTALK] = dingtalk(settings.dingtalk_url, settings.dingtalk_secret, clock)
    if settings.feishu_url:
        found[Channel.FEISHU] = feishu(settings.feishu_url, settings.feishu_secret, clock)
    own = f"{'https' if settings.https else 'http'}://{settings.host}:{settings.port}"
    return Ways(found, (settings.address or own).rstrip("/"))
