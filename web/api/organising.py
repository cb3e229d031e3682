"""The organisation: departments, posts and places changed, whom levels reach, where their papers may lie, groups."""

from uuid import UUID

from sqlalchemy import select

from archive.errors import Fault, InvalidInput, NotFound
from archive.model import Department, Distribution, Fonds, Place, Post
from archive.policy.rules import Act
from web.api import made_of_organisation as made
from web.api import made_of_rights as rights
from web.api.given import Names
from web.api.names import department_id, fonds_at
from web.api.operations import operation
from web.asking import require
from web.services import identity, services


@operation("/departments/{department}", 404, tagged=True)
def department(department: str) -> rights.DepartmentShown:
    """Show a department."""
    row = _department(department)
    codes = {each.id: each.code for each in services().house.organisation.departments(identity())}
    return rights.DepartmentShown(
        department=row.code, names=row.names, above=codes.get(row.parent_id) if row.parent_id else None,
        since=row.since, until=row.until, version=row.version,
    )  # fmt: skip


@operation("/departments", method="POST", status=201, made_at="/departments/{department}")
def add_department(body: made.NewDepartment) -> made.DepartmentStands:
    """Add a department."""
    require(Act.MANAGE_PEOPLE)
    faults = list[Fault]()
    above = department_id(body.parent, faults)
    if faults:
        raise InvalidInput(Fault("parent", "unknown"))
    services().house.organisation.add_department(
        identity(), body.department, _names(body.names), parent_id=above, since=body.since
    )
    return _stands(body.department)


@operation("/departments/{department}", 404, method="PATCH")
def rename_department(department: str, body: made.Named, version: int) -> made.DepartmentStands:
    """Rename a department; its code, which numbers hold, stays."""
    require(Act.MANAGE_PEOPLE)
    key = _department(department).id
    services().house.organisation.rename_department(identity(), key, _names(body.names), version=version)
    return _stands(department)


@operation("/departments/{department}/closing", 404, method="POST")
def close_department(department: str, body: made.ClosedFrom, version: int) -> made.DepartmentStands:
    """End a department on a day: from it on nothing new comes in; its records and its history stay."""
    require(Act.MANAGE_PEOPLE)
    key = _department(department).id
    services().house.organisation.close_department(identity(), key, body.until, version=version)
    return _stands(department)


@operation("/posts", method="POST", status=201)
def add_post(body: made.NewPostCode) -> made.PostAdded:
    """Add a post that people can hold."""
    services().house.organisation.add_post(identity(), body.post, _names(body.names))
    return made.PostAdded(post=body.post)


@operation("/fonds/{code}/places/{path}", 404, tagged=True)
def place(code: str, path: str) -> made.PlaceFacts:
    """Show a place by its path (A001/02), with its facts."""
    require(Act.MANAGE_SCHEME)
    row = _place(code, path)
    return made.PlaceFacts(
        place=row.id, version=row.version, path=row.path, names=row.names, property_types=list(row.property_types),
        facts=row.facts,
    )  # fmt: skip


@operation("/fonds/{code}/places/{path}", 404, 409, method="PATCH")
def change_place(code: str, path: str, body: made.PlaceChanges, version: int) -> made.PlaceStands:
    """Rename a project or another place, or change its facts or its code."""
    require(Act.MANAGE_SCHEME)
    row = _place(code, path)
    names = None if body.names is None else _names(body.names)
    now = services().house.places.change(
        identity(), row.id, version=version, names=names, facts=body.facts, code=body.code
    )
    return made.PlaceStands(place=row.id, version=now)


@operation("/level-rules", 403)
def level_rules() -> made.LevelRules:
    """Say whom the levels reach and where their papers may lie, to those who manage levels."""
    rows = services().house.rights.distributions(identity())
    with services().db.reading() as session:
        posts = {row.id: row.code for row in session.execute(select(Post.id, Post.code))}
        departments = {row.id: row.code for row in session.execute(select(Department.id, Department.code))}
    return made.LevelRules(
        distributions=[_shown(row, posts, departments) for row in rows],
        shelving=[
            made.ShelvingRule(level=rank, security=security)
            for rank, security in sorted(services().shelving.tree.rules().items())
        ],
    )


@operation("/distributions", 404, method="POST", status=201)
def distribute_level(body: made.Reached) -> made.DistributionMade:
    """Let a level, and those below it, reach more people; each still needs clearance and a grant."""
    require(Act.MANAGE_LEVELS)
    faults = list[Fault]()
    department = department_id(body.department, faults)
    posts = {row.code: row.id for row in services().house.organisation.posts(identity())}
    if body.post is not None and body.post not in posts:
        faults.append(Fault("post", "unknown"))
    if faults:
        raise InvalidInput(*faults)
    key = services().house.rights.distribute(
        identity(), body.level, post_id=posts[body.post] if body.post else None, department_id=department
    )
    return made.DistributionMade(distribution=key)


@operation("/distributions/{distribution_id}", 404, method="DELETE", status=204)
def withdraw_distribution(distribution_id: UUID) -> None:
    """Take back a distribution; it holds from now on, in search too."""
    services().house.rights.withdraw(identity(), distribution_id)


@operation("/levels/{level}/shelving", 404, method="PUT", status=204)
def set_shelving(level: str, body: made.MayLie) -> None:
    """Say where the papers of a level may lie; what lies elsewhere is listed as to be moved."""
    require(Act.MANAGE_LEVELS)
    ranks = {str(rank): rank for rank in services().shelving.tree.rules()}
    if level not in ranks:
        raise NotFound
    services().shelving.tree.set_rule(identity(), ranks[level], body.security)


@operation("/groups", 403)
def groups() -> made.Groups:
    """List the need-to-know groups, to those who manage levels."""
    rows = services().house.groups.every(identity())
    with services().db.reading() as session:
        fonds = {row.id: row.code for row in session.execute(select(Fonds.id, Fonds.code))}
    return made.Groups(
        groups=[made.GroupShown(group=row.number_mark, fonds=fonds[row.fonds_id], names=row.names) for row in rows]
    )


@operation("/fonds/{code}/groups", 404, method="POST", status=201)
def add_group(code: str, body: made.NewGroup) -> made.GroupAdded:
    """Add a need-to-know group to a fonds: its records are read by the people named on them alone."""
    require(Act.MANAGE_LEVELS)
    services().house.groups.add(identity(), fonds_at(code), body.mark, _names(body.names))
    return made.GroupAdded(group=body.mark)


def _names(names: Names) -> dict[str, str]:
    return {str(locale): name for locale, name in names.items()}


def _department(code: str) -> Department:
    found = [row for row in services().house.organisation.departments(identity()) if row.code == code]
    if not found:
        raise NotFound
    return found[0]


def _stands(code: str) -> made.DepartmentStands:
    return made.DepartmentStands(department=code, version=_department(code).version)


def _place(code: str, path: str) -> Place:
    return services().house.places.at(identity(), fonds_at(code), path)


def _shown(row: Distribution, posts: dict[UUID, str], departments: dict[UUID, str]) -> made.DistributionShown:
    return made.DistributionShown(
        distribution=row.id, level=row.level_rank, post=posts[row.post_id] if row.post_id else None,
        department=departments[row.department_id] if row.department_id else None,
    )  # fmt: skip
