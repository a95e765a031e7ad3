"""The parts of the pathway fold: which facts stand, milestones, episodes, losses, handovers, events."""
