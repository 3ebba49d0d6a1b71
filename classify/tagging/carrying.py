"""A row of the user's to what is carried through of it, under names that are free."""

from collections.abc import Iterable

from classify.data.lines import Row
from classify.errors import UsageError
from classify.predictor import NESTED_KEYS, without_prediction
from classify.tagging.options import Options

ERROR = "error"
PASSAGE_KEYS = ("id", "document", "start", "end", "text")


class Carrier:
    """Leaves out an earlier prediction, with the error that stood in its place, and gives rows their `id`.

    `flat` are the columns that predictions add to a table.
    """

    def __init__(self, flat: list[str], options: Options) -> None:
        self._flat, self._options = flat, options
        self._ours = {*flat, *NESTED_KEYS, *([ERROR] if options.keeps_faults else [])}

    def own(self, row: Row) -> Row:
        """The row itself where nothing changes; raises UsageError where the user has a name that we write under."""
        if not self._ours.isdisjoint(row):
            row = {name: row[name] for name in self._own_names(row)}
        identity = self._options.id_field
        return {"id": row[identity], **row} if identity in row and "id" not in row else row

    def own_columns(self, names: Iterable[str]) -> list[str]:
        """The same for the columns of a table."""
        return list(self.own(dict.fromkeys(names)))

    def _own_names(self, names: Iterable[str]) -> list[str]:
        given = list(names)
        try:
            own = without_prediction(given, self._flat)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if len(own) < len(given):
            return [name for name in own if name != ERROR]
        if self._options.keeps_faults and ERROR in own:
            raise UsageError(f"{ERROR}: --on-error keep would write under this name; rename it first")
        return own
