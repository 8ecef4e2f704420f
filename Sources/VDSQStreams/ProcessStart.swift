import CShims
package import VDSQFormat

/// What a program does before everything else.
package enum ProcessStart {
  /// The program's arguments after its name, as the system passed them. `CommandLine` of the
  /// standard library reads `/proc`, which may not be mounted, and Embedded Swift has none.
  ///
  /// - Throws: `usage` if one is not UTF-8: a part of it would be replaced.
  package static func readArguments() throws(VDSQError) -> [String] {
    let arguments = arguments
    for (index, argument) in arguments.enumerated() {
      let bytes = UnsafeRawBufferPointer(
        start: vdsq_argument(Int32(index + 1)), count: vdsq_argument_length(Int32(index + 1)))
      guard UTF8Decoder.replacements(in: bytes) == 0 else {
        throw .usage("the argument \(argument) is not UTF-8")
      }
    }
    return arguments
  }

  /// The program's arguments; what is not UTF-8 is replaced.
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

  /// Makes a mapped file that became shorter end the process with an error, as other damage does.
  ///
  /// - Parameter program: the name of the program in the message.
  package static func watchMaps(program: StaticString) {
    program.withUTF8Buffer {
      vdsq_watch_maps($0.baseAddress, VDSQError.Category.badInput.rawValue)
    }
  }

  /// Refuses a standard output that is the file from which texts are read, as each answer would be
  /// read as a text; or another input, which would be destroyed.
  ///
  /// - Parameter inputs: paths of further inputs.
  /// - Throws: `usage`.
  package static func checkStandardOutput(otherThan inputs: [String] = []) throws(VDSQError) {
    for path in inputs where path.withCString({ vdsq_is_same_file_at($0, 1) }) {
      throw .usage("\(path): this file is also standard output; write to another")
    }
    guard !vdsq_is_same_file(0, 1) else {
      throw .usage("standard output is the file that standard input reads; write to another")
    }
  }
}
