import Glibc
package import VDSQFormat

/// A program that is run for what it writes.
package enum ChildProcess {
  /// The standard output of a program that gets no input.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that is searched in `PATH`.
  ///   - arguments: the arguments after the program's name.
  /// - Throws: `missingInput` if it cannot be started; the category of its exit code, with nothing
  ///   but its name, if it fails. What went wrong it has written to standard error itself.
  package static func output(
    of program: String, arguments: [String]
  ) throws(VDSQError) -> [UInt8] {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw VDSQError(.internalFault, "\(program): no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    pointers.append(nil)
    var child = pid_t()
    let started = posix_spawnp(&child, program, &actions, nil, pointers, environ)
    close(ends[1])
    guard started == 0 else {
      throw VDSQError(
        .missingInput, "\(program): cannot be run: \(String(cString: strerror(started)))")
    }
    var output: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(ends[0], &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      output += piece[..<count]
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else {
      let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 0
      throw VDSQError(
        VDSQError.Category(rawValue: code) ?? .internalFault, "\(program): failed")
    }
    return output
  }
}
