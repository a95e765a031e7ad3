"""`tierlink worker STAGE`: one Faust worker of one stage."""

from ops.runtime.worker_command import add_worker as register

__all__ = ["register"]
