"""Times of the supervisor, in seconds, each with its reason."""

from typing import Final

# A meter box that has not answered for so long is replaced: longer than a new start takes, shorter than people wait.
FAILOVER_TIME: Final = 3.0
# Between two looks at a meter box.
LOOK_PAUSE: Final = 0.5
# For one answer to a look: two that are missed are within FAILOVER_TIME.
LOOK_TIME: Final = 1.0
# A process that was just started is not missed for so long: a large store, a busy machine.
START_TIME: Final = 60.0
# Before a process that ended is started again: doubled each time up to the second, and forgotten after the third.
FIRST_START_PAUSE: Final = 0.1
LONGEST_START_PAUSE: Final = 30.0
STEADY_TIME: Final = 60.0
# From SIGTERM to SIGKILL, for the processes of one stage.
STOP_TIME: Final = 5.0
# All slots on two disks for so long before they are spread over the boxes again: a box that comes and goes moves none.
BALANCE_TIME: Final = 300.0
# Between two looks at what the processes have done: for people, and for who collects metrics.
FIGURES_PAUSE: Final = 5.0
# Between two looks at steel boxes: nothing is lost while one that was put back is not found yet.
STEEL_PAUSE: Final = 5.0
# Between two looks at when passes end.
PASSES_PAUSE: Final = 60.0
