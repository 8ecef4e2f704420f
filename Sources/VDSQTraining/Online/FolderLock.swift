import Glibc
import VDSQFiles

/// An exclusive lock (flock) on the folder of a file that is replaced by each change: the file
/// itself is another one afterwards, so that a lock on it would keep nobody out.
///
/// Where the folder cannot be opened there is no lock; writing the file fails then.
struct FolderLock {
  private let descriptor: Int32

  /// Waits until no other process has the lock.
  init(of path: String) {
    descriptor = open(AtomicFile.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor >= 0 { flock(descriptor, LOCK_EX) }
  }

  func release() { if descriptor >= 0 { close(descriptor) } }
}
