// Filled by the kit.
