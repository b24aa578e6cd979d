// Filled by the room's tests.
