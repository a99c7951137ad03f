"""The items of hooks."""

from __future__ import annotations

from longplay.domain import changes
from longplay.domain.hooks import Happening, Hook, Target, hook_name
from longplay.storage.outbox import Outbox
from longplay.storage.table import Part, Table


class Hooks(Outbox[Hook]):
    """Hooks by name. Each method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, "hook", Hook, shards=4)

    def put(self, hook: Hook) -> Part:
        """The part that writes a new hook."""
        return self._table.put(self._kind, self.item(hook), changes.HOOK_PUT)

    def of_job(self, job_id: str, target: Target) -> list[Hook]:
        """All that was told, or is to be told, of a job to this target, the earliest first."""
        found = self.find_all([hook_name(job_id, happening, target) for happening in Happening])
        return sorted(found, key=lambda hook: hook.happened_at)
