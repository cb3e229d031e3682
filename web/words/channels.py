"""The ways by which messages leave the house, and why one did not go out, in words."""

from collections.abc import Mapping

from archive.model import Channel
from web.words import mark

CHANNELS: Mapping[Channel, str] = {
    Channel.EMAIL: mark("E-mail"),
    Channel.SMS: mark("Text message"),
    Channel.WECOM: mark("WeCom room"),
    Channel.DINGTALK: mark("DingTalk room"),
    Channel.FEISHU: mark("Feishu room"),
}

REASONS: Mapping[str, str] = {
    "mail_away": mark("the mail server does not answer"),
    "mail_sign_in": mark("the mail server does not take user name and password"),
    "mail_no_tls": mark("the mail server offers no TLS"),
    "mail_certificate": mark("the mail server's certificate is not one that is trusted"),
    "mail_refused_address": mark("the mail server does not take the address"),
    "mail_refused": mark("the mail server does not take the letter"),
    "mail_broke_off": mark("the mail server broke off while it took the letter: perhaps it went out"),
    "hook_away": mark("the server does not answer"),
    "hook_busy": mark("the server is asked too often"),
    "hook_refused": mark("the server does not take it: look at address and secret"),
    "hook_redirects": mark("the server sends elsewhere, which is not followed"),
    "hook_failed": mark("the server failed: perhaps it went out"),
    "hook_broke_off": mark("the server did not answer what it was sent: perhaps it went out"),
    "broke_off": mark("the worker ended while it was sent: perhaps it went out"),
}
"""Why a delivery came to nothing, by the code of its reason."""
