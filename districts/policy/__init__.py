"""Policy packs (制度方案), without the ORM: what may be said, how a file is read, what counts on a day."""
