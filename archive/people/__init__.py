"""Who is who: accounts, posts, rights, invitations, signing in."""
