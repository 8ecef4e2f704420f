import CShims
package import VDSQFormat

/// What a program does before everything else.
package enum ProcessStart {
  /// The program's arguments after its name, as the system passed them. `CommandLine` of the
  /// standard library reads `/proc`, which may not be mounted, and Embedded Swift has none.
  package static var arguments: [String] {
    var arguments: [String] = []
    for index in 1..<max(1, vdsq_argument_count()) {
      arguments.append(String(cString: vdsq_argument(index)))
    }
    return arguments
  }

  /// Opens standard input, output and error on `/dev/null` if they are closed. Otherwise the first
  /// file that is opened, which is the model, would be taken for standard input.
  package static func openStandardDescriptors() { vdsq_open_standard_descriptors() }

  /// Refuses a standard output that is the file from which texts are read: each answer would be
  /// read as a text.
  ///
  /// - Throws: `usage`.
  package static func checkStandardOutput() throws(VDSQError) {
    guard !vdsq_is_same_file(0, 1) else {
      throw .usage("standard output is the file that standard input reads; write to another")
    }
  }
}
