import Glibc
package import VDSQFormat

/// The time of a whole process that gives one answer: with the model's file in the page cache, and
/// with none of it there.
package struct StartBench {
  /// Medians.
  package let warmMilliseconds: Double
  /// Nil if the system does not drop the file's pages.
  package let coldMilliseconds: Double?

  private static let coldRuns = 5
  private static let warmRuns = 9

  /// - Parameters:
  ///   - arguments: the program and its arguments. It reads a line from standard input and answers
  ///     it.
  ///   - file: the file of the model.
  /// - Throws: `internalFault` if the program cannot be run, or fails.
  package init(_ arguments: [String], file: String) throws(VDSQError) {
    var cold: [Double] = []
    for _ in 0..<Self.coldRuns {
      guard Self.evict(file) else { break }
      cold.append(try Self.run(arguments))
    }
    coldMilliseconds = cold.count == Self.coldRuns ? cold.sorted()[Self.coldRuns / 2] : nil
    var warm: [Double] = []
    for _ in 0..<Self.warmRuns { warm.append(try Self.run(arguments)) }
    warmMilliseconds = warm.sorted()[Self.warmRuns / 2]
  }

  /// Drops a file from the page cache. Returns false if any page stays.
  private static func evict(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0 else { return false }
    fdatasync(descriptor)
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    let length = Int(status.st_size)
    guard let map = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), map != MAP_FAILED
    else { return false }
    defer { munmap(map, length) }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    var present = [UInt8](repeating: 0, count: (length + page - 1) / page)
    guard mincore(map, length, &present) == 0 else { return false }
    return !present.contains { $0 & 1 == 1 }
  }

  /// The time of a run in milliseconds.
  private static func run(_ arguments: [String]) throws(VDSQError) -> Double {
    func failed(_ what: String) -> VDSQError {
      VDSQError(.internalFault, "\(arguments[0]): \(what)")
    }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw failed("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let text = Array("where is the nearest pharmacy?\n".utf8)
    // The text is shorter than the capacity of a pipe, so this does not wait for a reader.
    _ = write(ends[1], text, text.count)
    close(ends[1])
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    var child = pid_t()
    let start = Timing.now()
    guard posix_spawn(&child, arguments[0], &actions, nil, pointers, environ) == 0 else {
      throw failed("cannot be run")
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw failed("was not waited for") }
    }
    let time = Timing.now() - start
    guard status == 0 else {
      throw failed("failed on \(arguments.dropFirst().joined(separator: " "))")
    }
    return time * 1e3
  }
}
