import Glibc

/// A hundredth of a second, on a thread that may wait.
func sleepBriefly() { usleep(10_000) }
