"""The credentials of a house at a MinIO server, made by its administrator. Other S3 servers have ways of their own."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from storage.minio.client import Access, pool, translated
from storage.minio.setup import policies


@dataclass(frozen=True)
class Account:
    """One credential: which of the policies is its own (see ``storage.minio.setup.policies``), its name, its secret."""

    policy: str
    key: str
    secret: str = field(repr=False)


def make_accounts(administrator: Access, accounts: Iterable[Account], bucket: str, witness: str | None) -> None:
    """Make credentials with their policies; what stands gets the secret and the rights that are given now.

    Raises:
        Unavailable: the server does not answer, or refuses.
    """
    admin = MinioAdmin(
        endpoint=administrator.endpoint,
        credentials=StaticProvider(administrator.key, administrator.secret),
        region=administrator.region,
        secure=administrator.secure,
        http_client=pool(administrator),
    )
    made = policies(bucket, witness)
    with translated():
        for account in accounts:
            name = f"{bucket}-{account.policy}"
            admin.policy_add(name, policy=made[account.policy])
            admin.user_add(account.key, account.secret)
            admin.policy_set(name, user=account.key)
