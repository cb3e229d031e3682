"""What leaves the house of a message, to whom, how often, and what becomes of what did not go out."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive import failpoints
from archive.errors import InvalidInput, NotAllowed, WrongState
from archive.jobs.runner import JobRunner
from archive.loans.asking import Wish
from archive.log.writer import Log
from archive.model import (
    Approval,
    Channel,
    Delivery,
    Job,
    JobKind,
    Level,
    Loan,
    LoanForm,
    LogEntry,
    Medium,
    Message,
    Person,
    PersonChannel,
    Record,
)
from archive.reminding import delivering
from archive.reminding.channels import note_ways
from archive.reminding.delivering import TOGETHER, TRIES, Deliver, Letter, NotSent, Unclear, Ways, mark_stale
from archive.reminding.messages import Told
from archive.telling import Telling, telling
from tests.factories.web_house import WebHouse, a_web_house, token_of
from web import letters
from web.words.channels import CHANNELS, REASONS

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
ADDRESS = "https://archive.example.cn"


class Post:
    """A way out that remembers what it was given, and does what it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Letter]] = []
        self.act: Callable[[], None] = lambda: None
        self.longest: int | None = None

    def send(self, address: str, letter: Letter) -> None:
        self.act()
        self.sent.append((address, letter))


class House:
    def __init__(self, web: WebHouse, posts: dict[Channel, Post], ways: Ways) -> None:
        self.web, self.posts, self.own = web, posts, web.services
        self.db, self.clock, self.telling = self.own.db, web.clock, self.own.telling
        handler = Deliver(self.db, self.own.guard, self.own.vault, web.outbox, self.telling.due, ways, letters.write)
        self.jobs = JobRunner(self.db, self.clock, [handler])

    def who(self, login: str) -> Any:
        return self.own.people.identity_of(login)

    def choose(self, login: str, channel: Channel, address: str = "", *, digest: bool = False) -> None:
        self.telling.channels.choose(self.who(login), channel, address, digest=digest)

    def marked(self, title: str = "绝不外露的产权证", **more: Any) -> Record:
        record: Record = self.web.a_record(title=title, **more)
        self.own.vital.mark(self.who("archivist"), [record.id], self.own.guard.day() + timedelta(7))
        return record

    def tell(self) -> int:
        return self.telling.sweep.run()

    def states(self) -> list[tuple[str, str, str | None]]:
        with self.db.reading() as session:
            rows = session.execute(select(Delivery.channel, Delivery.state, Delivery.reason).order_by(Delivery.id))
            return [(channel.value, state.value, reason) for channel, state, reason in rows]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    posts = {channel: Post() for channel in Channel}
    ways = Ways(posts, ADDRESS)
    with a_web_house(tmp_path, ways=ways) as web:
        yield House(web, posts, ways)
    failpoints.arm("")


def refuses(reason: str, *, again: bool) -> Callable[[], None]:
    def act() -> None:
        raise NotSent(reason, again=again)

    return act


@pytest.mark.parametrize("level", [1, 2, 4])
def test_a_letter_says_what_to_do_a_date_and_a_link_and_nothing_of_the_record(house: House, level: int) -> None:
    house.choose("archivist", Channel.EMAIL, "dang.an@example.cn")
    record = house.marked(level=level)
    house.tell()
    house.jobs.drain()
    [(address, letter)] = house.posts[Channel.EMAIL].sent
    assert address == "dang.an@example.cn"
    with house.db.reading() as session:
        message, row = session.scalar(select(Message)), session.get_one(Record, record.id)
        names = session.get_one(Level, level).names.values()
    assert message is not None
    said = letter.subject + letter.text
    assert f"{ADDRESS}/messages/{message.id}" in said
    assert str(message.due) in said
    assert "核心档案复核" in said
    for secret in (
        "绝不外露",
        str(row.id),
        row.id.hex,
        row.registration_number,
        row.archive_number,
        *names,
        "archivist",
    ):
        assert secret is None or secret not in said
    assert house.states() == [("email", "sent", None)]


def test_what_is_above_the_lowest_level_goes_to_no_room_and_to_no_shared_address(house: House) -> None:
    for login in ("archivist", "secrecy"):
        house.choose(login, Channel.EMAIL, "Office@example.cn" if login == "archivist" else "office@example.cn")
    house.choose("archivist", Channel.WECOM)
    house.choose("archivist", Channel.SMS, "+86 138-0013-8000")
    house.marked(level=2)
    house.marked(level=1)
    house.tell()
    house.jobs.drain()
    assert len(house.posts[Channel.SMS].sent) == 1
    assert house.posts[Channel.SMS].sent[0][1].text.count("/messages/") == 2
    for channel in (Channel.EMAIL, Channel.WECOM):
        [(_address, letter)] = house.posts[channel].sent
        assert letter.text.count(ADDRESS) == 1
    assert sorted(house.states()) == [
        ("email", "dropped", "not_for_shared"), ("email", "sent", None), ("sms", "sent", None), ("sms", "sent", None),
        ("wecom", "dropped", "not_for_shared"), ("wecom", "sent", None),
    ]  # fmt: skip


def test_a_loan_above_the_lowest_level_is_told_in_no_room_either(house: House) -> None:
    house.choose("staff", Channel.WECOM)
    house.choose("staff", Channel.SMS, "13800138001")
    own, staff = house.own.lending, house.who("staff")
    for level in (1, 2):
        record = house.web.a_record(title="绝不外露的合同", level=level, medium=Medium.ELECTRONIC)
        wish = Wish(form=LoanForm.SCREEN, purpose="work", words="核对")
        loan = own.requests.describe(staff, "合同", wish)
        with house.db.writing() as work:
            row = work.session.get_one(Loan, loan)
            row.record_id = work.session.get_one(Approval, row.approval_id).record_id = record.id
            work.commit()
        with house.db.writing() as work:
            news = [Told(staff.person_id, "loan.approved", f"loan:{loan}", subject=row.approval_id)]
            house.telling.messages.tell(work, news)
            work.commit()
    house.jobs.drain()
    assert sorted(house.states()) == [
        ("sms", "sent", None), ("sms", "sent", None), ("wecom", "dropped", "not_for_shared"), ("wecom", "sent", None),
    ]  # fmt: skip


def test_a_room_is_told_the_same_once_whoever_of_it_chose_it_and_gets_no_ones_own_link(house: House) -> None:
    record = house.web.a_record(title="合同")
    for login in ("archivist", "staff"):
        house.choose(login, Channel.FEISHU)
    with house.db.writing() as work:
        people = [house.web.people[login].id for login in ("archivist", "staff")]
        house.telling.messages.tell(work, [Told(each, "loan.test", "the same", record=record.id) for each in people])
        work.commit()
    house.jobs.drain()
    [(address, letter)] = house.posts[Channel.FEISHU].sent
    assert address == ""
    [link] = [each for each in letter.text.split() if each.startswith(ADDRESS)]
    assert house.web.browser("staff").get(link.removeprefix(ADDRESS)).status_code == 200
    assert "/messages/" not in letter.text


@pytest.mark.parametrize(
    ("loses", "reason"),
    [
        ("clearance", "not_open"),
        ("account", "account_closed"),
        ("channel", "channel_off"),
        ("read", "read_already"),
        ("done", "not_due"),
    ],
)
def test_it_is_asked_again_just_before_it_is_sent(house: House, loses: str, reason: str) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    record = house.marked(level=2)
    house.tell()
    person = house.web.people["archivist"].id
    if loses == "channel":
        house.telling.channels.drop(house.who("archivist"), Channel.EMAIL)
    elif loses == "read":
        house.telling.messages.read(house.who("archivist"))
    elif loses == "done":
        house.own.vital.mark(house.who("archivist"), [record.id], None)
    else:
        with house.db.writing() as work:
            row = work.session.get_one(Person, person)
            row.clearance, row.active = (1, True) if loses == "clearance" else (4, False)
            work.commit()
    house.jobs.drain()
    assert house.posts[Channel.EMAIL].sent == []
    assert house.states() == [("email", "dropped", reason)]
    with house.db.writing() as work:
        work.session.get_one(Person, person).active = True
        work.commit()


@pytest.mark.parametrize("together", [TOGETHER, 1])
def test_what_fails_is_tried_again_with_longer_waits_and_then_stands_on_the_page_until_someone_sends_it(
    house: House, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "TOGETHER", together)  # more may wait than go at once
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    house.marked()
    house.tell()
    post = house.posts[Channel.EMAIL]
    post.act = refuses("mail_away", again=True)
    waits: list[float] = []
    for _ in range(TRIES):
        assert house.jobs.run(JobKind.DELIVER) == 1
        with house.db.reading() as session:
            later = session.scalar(select(Job.run_after).where(Job.kind == JobKind.DELIVER))
        if later is not None:
            waits.append((later - house.clock.now()).total_seconds())
            house.clock.move(seconds=waits[-1])  # type: ignore[attr-defined]
    assert waits == sorted(waits)
    assert len(waits) == TRIES - 1
    assert house.states() == [("email", "failed", "mail_away")]
    assert house.jobs.drain() == 0
    bad = house.telling.channels.bad(house.who("system"), limit=10)
    assert [each.delivery.reason for each in bad] == ["mail_away"]
    for login in ("archivist", "security", "staff"):
        with pytest.raises(NotAllowed):
            house.telling.channels.bad(house.who(login), limit=10)
        with pytest.raises(NotAllowed):
            house.telling.channels.retry(house.who(login), bad[0].delivery.id)
    post.act = lambda: None
    house.telling.channels.retry(house.who("system"), bad[0].delivery.id)
    house.jobs.drain()
    assert house.states() == [("email", "sent", None)]
    with pytest.raises(WrongState):
        house.telling.channels.retry(house.who("system"), bad[0].delivery.id)


def test_an_unclear_answer_is_not_sent_again(house: House) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    house.marked()
    house.tell()

    def hangs() -> None:
        raise Unclear("mail_broke_off")

    house.posts[Channel.EMAIL].act = hangs
    house.jobs.drain()
    house.posts[Channel.EMAIL].act = lambda: None
    house.clock.move(days=1)  # type: ignore[attr-defined]
    house.jobs.drain()
    assert house.posts[Channel.EMAIL].sent == []
    assert house.states() == [("email", "unclear", "mail_broke_off")]


@pytest.mark.parametrize("where", ["message.sending", "message.sent"])
def test_a_worker_that_dies_in_the_middle_sends_nothing_twice_and_says_that_it_is_unclear(
    house: House, where: str
) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    house.marked()
    house.tell()
    failpoints.arm(f"{where}:raise")
    house.jobs.run(JobKind.DELIVER)
    failpoints.arm("")
    for _ in range(4):
        house.clock.move(minutes=20)  # type: ignore[attr-defined]
        house.jobs.drain()
    assert len(house.posts[Channel.EMAIL].sent) == (1 if where == "message.sent" else 0)
    assert mark_stale(house.db, house.own.guard) == 1
    assert house.states() == [("email", "unclear", "broke_off")]


def test_many_go_out_as_one_letter_and_a_digest_waits_for_its_hour(house: House) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn", digest=True)
    house.choose("archivist", Channel.SMS, "13800138000")
    for _ in range(3):
        house.marked()
    house.tell()
    house.jobs.drain()
    [(_number, letter)] = house.posts[Channel.SMS].sent
    assert letter.text.count("/messages/") == 3
    assert house.posts[Channel.EMAIL].sent == []
    house.clock.moment = house.own.guard.next_hour(8)  # type: ignore[attr-defined]
    house.jobs.drain()
    [(_address, letter)] = house.posts[Channel.EMAIL].sent
    assert letter.text.count("/messages/") == 3
    assert "3" in letter.subject


def elsewhere(house: House) -> Telling:
    """What tells people in a process whose settings name no way out."""
    own = house.own
    return telling(own.db, own.guard, Log(own.vault, house.clock), house.web.outbox, own.vault, Ways())


def test_what_a_process_without_ways_finds_is_sent_by_the_one_that_has_them(house: House) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    with house.db.writing() as work:
        elsewhere(house).messages.tell(work, [Told(house.web.people["archivist"].id, "loan.test", "there")])
        work.commit()
    house.jobs.drain()
    assert house.states() == [("email", "sent", None)]


def test_a_process_without_ways_offers_those_that_whoever_sends_has_noted(house: House) -> None:
    channels, me = elsewhere(house).channels, house.who("archivist")
    assert channels.mine(me) == []
    with pytest.raises(InvalidInput, match="channel"):
        channels.choose(me, Channel.EMAIL, "a@example.cn", digest=False)
    note_ways(house.db, Ways({Channel.EMAIL: Post(), Channel.SMS: Post()}))
    channels.choose(me, Channel.EMAIL, "a@example.cn", digest=False)
    assert [(each.channel, each.on) for each in channels.mine(me)] == [(Channel.EMAIL, True), (Channel.SMS, False)]
    note_ways(house.db, Ways({Channel.SMS: Post()}))
    assert [each.channel for each in channels.mine(me)] == [Channel.SMS]


@pytest.mark.parametrize("channel", [Channel.FEISHU, Channel.SMS])
def test_a_letter_has_as_many_messages_as_its_way_takes_and_the_others_go_next(house: House, channel: Channel) -> None:
    house.posts[channel].longest = 700
    house.choose("archivist", channel, "13800138000")
    for _ in range(7):
        house.marked(level=1)
    house.tell()
    house.jobs.drain()
    texts = [letter.text for _address, letter in house.posts[channel].sent]
    assert len(texts) > 1
    assert max(len(text.encode()) for text in texts) <= 700
    assert sum(text.count(ADDRESS) for text in texts) == 7
    assert house.states() == [(channel.value, "sent", None)] * 7


def test_what_did_not_fit_is_not_left_when_what_went_before_is_given_up(house: House) -> None:
    post = house.posts[Channel.SMS]
    post.longest, post.act = 1, refuses("hook_busy", again=True)
    house.choose("archivist", Channel.SMS, "13800138000")
    for _ in range(2):
        house.marked(level=1)
    house.tell()
    for _ in range(3 * TRIES):
        house.jobs.drain()
        house.clock.move(hours=1)  # type: ignore[attr-defined]
    assert house.states() == [("sms", "failed", "hook_busy")] * 2


def test_each_reads_their_own_language(house: House) -> None:
    with house.db.writing() as work:
        work.session.get_one(Person, house.web.people["archivist"].id).locale = "en"
        work.commit()
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    house.marked()
    house.tell()
    house.jobs.drain()
    [(_address, letter)] = house.posts[Channel.EMAIL].sent
    assert letter.subject == "Juanku: Review of a vital record"
    assert "due in 7 days" in letter.text


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (Channel.EMAIL, ""), (Channel.EMAIL, "nobody"), (Channel.EMAIL, "a@example.cn\nBcc: b@example.cn"),
        (Channel.EMAIL, "a@example.cn, b@example.cn"), (Channel.EMAIL, "张三@example.cn"),
        (Channel.SMS, "http://10.0.0.1/"), (Channel.SMS, "12"),
    ],
)  # fmt: skip
def test_an_address_that_is_none_or_more_than_one_is_refused(house: House, channel: Channel, address: str) -> None:
    with pytest.raises(InvalidInput):
        house.choose("archivist", channel, address)


def test_an_address_lies_sealed_and_no_log_holds_it(house: House) -> None:
    house.choose("archivist", Channel.SMS, "13800138000")
    with house.db.reading() as session:
        row = session.scalars(select(PersonChannel)).one()
        assert row.address is not None
        assert b"13800138000" not in row.address
        entries = session.scalars(select(LogEntry.act).where(LogEntry.act == "channel.choose")).all()
    assert entries
    [mine] = [each for each in house.telling.channels.mine(house.who("archivist")) if each.on]
    assert (mine.channel, mine.address) == (Channel.SMS, "13800138000")
    house.telling.channels.drop(house.who("archivist"), Channel.SMS)
    assert not any(each.on for each in house.telling.channels.mine(house.who("archivist")))


def post(house: House, login: str, path: str, **data: str) -> tuple[int, str]:
    browser = house.web.browser(login)
    reply = browser.post(path, data={"csrf_token": token_of(browser), **data}, follow_redirects=True)
    return reply.status_code, reply.text


def test_a_way_is_chosen_changed_and_given_up_on_its_page(house: House) -> None:
    page = house.web.browser("archivist").get("/messages/ways").text
    assert page.count("用这种方式通知我") == len(Channel)
    status, page = post(house, "archivist", "/messages/ways", channel="email", address="nobody", when="once")
    assert (status, 'id="fault-email"' in page) == (422, True)
    status, page = post(house, "archivist", "/messages/ways", channel="email", address="a@example.cn", when="digest")
    assert status == 200
    assert 'value="a@example.cn"' in page
    [mine] = [each for each in house.telling.channels.mine(house.who("archivist")) if each.on]
    assert (mine.channel, mine.digest) == (Channel.EMAIL, True)
    assert "a@example.cn" not in house.web.browser("staff").get("/messages/ways").text
    post(house, "archivist", "/messages/ways", channel="email", what="off")
    assert not any(each.on for each in house.telling.channels.mine(house.who("archivist")))


def test_whoever_runs_the_system_sees_what_did_not_go_out_and_nothing_of_the_record(house: House) -> None:
    house.choose("archivist", Channel.EMAIL, "a@example.cn")
    house.marked()
    house.tell()
    house.posts[Channel.EMAIL].act = refuses("mail_refused_address", again=False)
    house.jobs.drain()
    page = house.web.browser("system").get("/system/deliveries").text
    assert "邮件服务器不接受该地址" in page
    assert "绝不外露" not in page
    assert "a@example.cn" not in page
    [bad] = house.telling.channels.bad(house.who("system"), limit=2)
    house.posts[Channel.EMAIL].act = lambda: None
    assert post(house, "archivist", f"/system/deliveries/{bad.delivery.id}/retry")[0] == 403
    assert post(house, "system", f"/system/deliveries/{bad.delivery.id}/retry")[0] == 200
    house.jobs.drain()
    assert "所有应发出的消息都已发出" in house.web.browser("system").get("/system/deliveries").text
    assert house.web.browser("staff").get("/system/deliveries").status_code == 403


def test_every_reason_that_a_sender_gives_has_words() -> None:
    given = {
        reason
        for path in (ROOT / "runtime" / "sending").glob("*.py")
        for reason in re.findall(r'(?:NotSent|Unclear)\("([a-z_]+)"', path.read_text("utf-8"))
    }
    assert given
    assert given <= set(REASONS)
    assert set(CHANNELS) == set(Channel)
