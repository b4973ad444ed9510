"""How a job starts and stops: entry point, watchdog, time limit, CPU threads, device."""
