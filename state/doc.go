// Package state keeps what outlives the process: which steps ended how, what a
// plan owns in the accounts, and how far each copy got.
//
// Every plan name has a folder of its own below the state directory, private to the user:
//
//	DIR/NAME/state.db      bbolt: runs, steps, ownership, progress; locked by whoever runs
//	DIR/NAME/holder.json   who holds the lock: read by those that are refused
//	DIR/NAME/status.json   the run's life, for other terminals (atomic rename)
//	DIR/NAME/events.jsonl  the run's events, appended
//	DIR/NAME/cancel        a request to stop, naming the run
//
// The first is the truth, and a write to it that returned nil is durable. The
// others are sidecars: they can be read while the database is locked, and
// losing them loses nothing but the view.
//
// Records are made for the file, apart from the types that the program works
// with. Each begins with the version of its encoding; a newer one is refused
// with a [VersionError]. The bytes of every version are kept in testdata.
//
// Writers that come while a commit is under way are gathered into the next one:
// one transaction and one sync for all of them.
//
//	writer: queue the change; if nobody commits, commit until the queue is empty
//	commit: apply all queued changes in one transaction; should one of them
//	        fail, apply each in a transaction of its own
//
// The progress of a copy is O(ranges + failures + uploads), never O(keys).
//
// Not guaranteed: that a commit which returned an error was not made (a disk may
// fail after it wrote), and anything at all on file systems without working locks.
package state
