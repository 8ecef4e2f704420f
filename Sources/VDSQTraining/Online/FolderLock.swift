import Glibc
import VDSQFiles

/// An exclusive lock (flock) on the folder of a file that each change replaces. A lock on the file
/// itself would not exclude others, because it is a different file after a change.
///
/// If the folder cannot be opened, there is no lock, and writing the file fails.
package struct FolderLock {
  private let descriptor: Int32

  /// Waits until no other process has the lock.
  package init(of path: String) {
    descriptor = open(
      AtomicFile.folder(of: AtomicFile.target(of: path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor >= 0 { flock(descriptor, LOCK_EX) }
  }

  package func release() { if descriptor >= 0 { close(descriptor) } }
}
