#pragma once

// Counts every allocation of the process, of all threads, between arming and disarming.
void allocation_counter_arm(void);
// The number of allocations since it was armed.
long allocation_counter_disarm(void);
