"""People's rights: one account with all it holds, posts, grants, custody, sessions; departments and posts."""

from uuid import UUID

from archive.errors import Fault, InvalidInput, NotFound
from archive.model import TokenScope
from archive.people.roster import Granted, Held, Sheet
from web.api import made_of_rights as made
from web.api.names import category_id, department_id, fonds_id, place_id
from web.api.operations import operation
from web.services import identity, services


@operation("/organisation")
def organisation() -> made.OrganisationShown:
    """List departments, with those that have ended, and posts."""
    house = services().house.organisation
    rows = house.departments(identity())
    codes = {row.id: row.code for row in rows}
    return made.OrganisationShown(
        departments=[
            made.DepartmentShown(
                department=row.code, names=row.names, above=codes.get(row.parent_id) if row.parent_id else None,
                since=row.since, until=row.until, version=row.version,
            )
            for row in rows
        ],
        posts=[made.PostShown(post=row.code, names=row.names) for row in house.posts(identity())],
    )  # fmt: skip


@operation("/people/{login}", 403, 404)
def person(login: str) -> made.PersonShown:
    """Show all that an account holds, for those who manage people."""
    found = _sheet(login)
    row = found.person
    return made.PersonShown(
        person=row.id, login=row.login, name=row.name, roles=sorted(found.roles), clearance=row.clearance,
        active=row.active, version=row.version, posts=[_post(each) for each in found.posts],
        grants=[_grant(each) for each in found.grants], custody=list(found.custody), sessions=len(found.sessions),
        failures=found.failures, locked_until=found.locked_until, invited=found.invited,
    )  # fmt: skip


@operation("/people/{login}/posts", 403, 404, method="POST", status=201)
def give_post(login: str, body: made.NewPost) -> made.PostGiven:
    """Let a person hold a post in a department."""
    key, faults = _account(login), list[Fault]()
    department = department_id(body.department, faults)
    posts = {row.code: row.id for row in services().house.organisation.posts(identity())}
    if body.post not in posts:
        faults.append(Fault("post", "unknown"))
    if faults or department is None:
        raise InvalidInput(*faults)
    holding = services().people.assign_post(identity(), key, posts[body.post], department, body.since, body.until)
    return made.PostGiven(holding=holding)


@operation("/people/{login}/posts/{holding_id}/end", 403, 404, method="POST")
def end_post(login: str, holding_id: UUID, body: made.LastDay) -> made.PostGiven:
    """Have a post end with a day."""
    if holding_id not in {each.id for each in _sheet(login).posts}:
        raise NotFound
    services().people.end_post(identity(), holding_id, body.until)
    return made.PostGiven(holding=holding_id)


@operation("/people/{login}/grants", 403, 404, method="POST", status=201)
def give_grant(login: str, body: made.NewGrant) -> made.GrantGiven:
    """Grant a person a fonds, one branch of its scheme, or one place."""
    key, fonds, faults = _account(login), fonds_id(body.fonds), list[Fault]()
    branch = category_id(fonds, body.category) if body.category else None
    place = place_id(fonds, body.place, faults)
    if faults:
        raise InvalidInput(*faults)
    grant = services().house.rights.grant(
        identity(), key, fonds_id=None if branch or place else fonds, category_id=branch, place_id=place,
        since=body.since, until=body.until,
    )  # fmt: skip
    return made.GrantGiven(grant=grant)


@operation("/people/{login}/grants/{grant_id}", 403, 404, method="DELETE", status=204)
def revoke_grant(login: str, grant_id: UUID) -> None:
    """Take a grant away; it holds from now on, in search too."""
    if grant_id not in {each.grant.id for each in _sheet(login).grants}:
        raise NotFound
    services().house.rights.revoke(identity(), grant_id)


@operation("/people/{login}/custody", 403, 404, method="PUT", status=204)
def set_custody(login: str, body: made.Entrusted) -> None:
    """Entrust a person with the custody of these levels, and of no others."""
    services().house.rights.set_custody(identity(), _account(login), body.levels)


@operation("/people/{login}/sessions/end", 403, 404, method="POST")
def end_sessions_of(login: str) -> made.Ended:
    """End all sessions of a person, and their tokens."""
    return made.Ended(sessions=services().people.end_sessions(identity(), _account(login)))


@operation("/people/{login}/tokens", 403, 404)
def tokens_of(login: str) -> made.Tokens:
    """List a person's tokens that have not ended, for those who manage people."""
    return made.Tokens(
        tokens=[
            made.TokenShown(
                token=row.id, name=row.name, writes=row.scope is TokenScope.WRITE, made=row.created_at, ends=row.ends_at
            )
            for row in _sheet(login).tokens
        ]
    )


@operation("/people/{login}/tokens/{token_id}", 403, 404, method="DELETE", status=204)
def end_token_of(login: str, token_id: UUID) -> None:
    """End one token of another person; their others stay."""
    if token_id not in {each.id for each in _sheet(login).tokens}:
        raise NotFound
    services().people.end_token_of(identity(), _account(login), token_id)


@operation("/people/{login}/unlock", 403, 404, method="POST", status=204)
def unlock_person(login: str) -> None:
    """Forget a person's failed sign-ins."""
    services().people.unlock(identity(), _account(login))


def _account(login: str) -> UUID:
    return services().people.account(identity(), login).id


def _sheet(login: str) -> Sheet:
    return services().house.roster.show(identity(), _account(login))


def _post(each: Held) -> made.HeldPost:
    return made.HeldPost(
        holding=each.id, post=each.post.code, department=each.department.code, since=each.since, until=each.until,
        over=each.over,
    )  # fmt: skip


def _grant(each: Granted) -> made.HeldGrant:
    return made.HeldGrant(
        grant=each.grant.id, fonds=each.fonds.code, category=each.category.code if each.category else None,
        place=each.place.path if each.place else None, since=each.grant.since, until=each.grant.until, over=each.over,
    )  # fmt: skip
